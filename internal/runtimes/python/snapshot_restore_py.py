"""The hooks of SnapStart, as functions register them: the interface of AWS's package of this name, which Lambda's Python runtimes have.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html. A function that brings the package along has that one.
The bootstrap runs the hooks; without SnapStart nobody does.
"""

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    """Has func called with the arguments before the snapshot: hooks run in the reverse order. Returns func, as a decorator has to."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Has func called with the arguments after the restore: hooks run in order. Returns func, as a decorator has to."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    """The hooks, in the order in which they were registered: a list of function, arguments and keyword arguments."""
    return _before_snapshot


def get_after_restore():
    """The hooks, in the order in which they were registered: a list of function, arguments and keyword arguments."""
    return _after_restore
