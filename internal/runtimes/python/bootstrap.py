"""The Python runtime: loads a function's handler and serves it from the Lambda Runtime API (2018-06-01).

Usage: python3 -u bootstrap.py LAYERS, where LAYERS is the directory of the function's layers (/opt). The rest comes from the
environment variables that Lambda defines: AWS_LAMBDA_RUNTIME_API, _HANDLER, LAMBDA_TASK_ROOT, AWS_LAMBDA_FUNCTION_*,
AWS_LAMBDA_LOG_*. Without _HANDLER it waits until the server tells it the environment of its function. Behaviour follows the AWS
documentation ("Building Lambda functions with Python") and what Lambda's runtime shows to a function: error types and texts, the
context object, the format of log lines. Standard library only; it runs on
Python 3.8 and later, and imports little, because its start is part of every cold start.

A log event is one line: line ends inside an event are written as carriage returns, which the log collector turns back.
"""

import importlib
import json
import logging
import os
import re
import socket
import sys
import time
import traceback

import endpoint

API = "/2018-06-01/runtime/"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
JSON_LOGS = False  # set when the function is known
LEVELS = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Fault(Exception):
    """An error with Lambda's own type, for which no stack trace of the function exists."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


class RuntimeAPI:
    """A keep-alive HTTP/1.1 client for one server. http.client would take longer to import than all the rest."""

    def __init__(self, address):
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.socket = self.file = None

    def call(self, method, path, body=b"", headers=()):
        lines = ["%s %s%s HTTP/1.1" % (method, API, path), "Host: %s:%d" % (self.host, self.port)]
        lines += ["Content-Length: %d" % len(body)] if method == "POST" else []
        lines += ["%s: %s" % header for header in headers] + ["", ""]
        request = "\r\n".join(lines).encode() + body
        status = b""
        if self.file is not None:  # The server may have closed the idle connection: then nothing comes, and a new one is made.
            try:
                self.socket.sendall(request)
                status = self.file.readline()
            except ConnectionError:
                pass
        if not status:
            self.socket = socket.create_connection((self.host, self.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.file = self.socket.makefile("rb")
            self.socket.sendall(request)
            status = self.file.readline()
        return self.answer(status)

    def disconnect(self):
        """Makes the next call use another connection: the server is faster on those that ask for and answer invocations only."""
        if self.file is not None:
            self.file.close()
            self.socket.close()
            self.file = None

    def answer(self, status):
        """Returns status code, headers (names in lower case) and body."""
        code = int(status.split()[1])
        headers = {}
        while True:
            line = self.file.readline()
            if line in (b"\r\n", b"\n"):
                break
            if not line:
                raise ConnectionError("the runtime API closed the connection")
            name, _, value = line.decode("utf-8", "replace").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return code, headers, b"".join(self.chunks())
        return code, headers, self.read(int(headers.get("content-length", 0)))

    def chunks(self):
        while True:
            size = int(self.file.readline().split(b";")[0], 16)
            yield self.read(size)
            self.file.readline()
            if size == 0:
                return

    def read(self, size):
        data = self.file.read(size)
        if len(data) < size:
            raise ConnectionError("the runtime API closed the connection")
        return data

    def post(self, path, body, headers=()):
        code, _, answer = self.call("POST", path, body, headers)
        if code >= 400:
            print("LAMBDA_RUNTIME Failed to post %s. Http response code: %d. %s" % (path, code, answer.decode("utf-8", "replace")))
        if code >= 500:  # "Container error. Non-recoverable state. Runtime should exit promptly."
            sys.exit(1)


class Fields:
    """An object with the fields of a JSON object, as in the context's client_context and identity."""

    __slots__ = ()

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        return "%s([%s])" % (type(self).__name__, ",".join("%s=%s" % (n, getattr(self, n)) for n in self.__slots__))


class Client(Fields):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(Fields):
    __slots__ = ("custom", "env", "client")

    def __init__(self, values):
        super().__init__(values)
        if self.client is not None:
            self.client = Client(self.client)


class CognitoIdentity(Fields):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = json_header(headers, "lambda-runtime-client-context", "Client Context")
        self._w3c = w3c_fields(client)
        self.client_context = None if client is None else ClientContext(client)
        self.identity = CognitoIdentity(json_header(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {})
        self._deadline = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def w3c(self):
        """Returns the W3C trace context of the invocation, if its client sent one."""
        return dict(self._w3c)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        fields = ",".join("%s=%s" % item for item in vars(self).items() if not item[0].startswith("_"))
        return "LambdaContext([%s])" % fields


def w3c_fields(client):
    """Takes the W3C trace context out of a client context: what of it is text."""
    fields = client.pop("w3c", None) if isinstance(client, dict) else None
    if not isinstance(fields, dict):
        return {}
    return {name: fields[name] for name in ("traceparent", "tracestate", "baggage") if isinstance(fields.get(name), str)}


def json_header(headers, name, what):
    value = headers.get(name)
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError as e:
        raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (what, e))


class Marshaller:
    """JSON as Lambda writes it: a Decimal as a number, and text beyond ASCII as it is from Python 3.12 on."""

    def __init__(self):
        _, _, minor = os.environ.get("AWS_EXECUTION_ENV", "").partition("AWS_Lambda_python3.")
        self.ascii = not (minor.isdigit() and int(minor) >= 12)
        self.mark = os.urandom(16).hex()

    def loads(self, event):
        try:
            return json.loads(event)
        except ValueError as e:
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)

    def dumps(self, value):
        """Returns body and content type. The json module cannot write a number by its digits, hence the marks."""
        if isinstance(value, bytes):
            return value, "application/unknown"
        numbers = []

        def default(o):
            decimal = sys.modules.get("decimal")
            if decimal is None or not isinstance(o, decimal.Decimal):
                raise TypeError("Object of type %s is not JSON serializable" % type(o).__name__)
            if o.is_nan():
                return float("nan")
            numbers.append(str(o))
            return "%s-%d" % (self.mark, len(numbers) - 1)

        try:
            text = json.dumps(value, default=default, ensure_ascii=self.ascii)
            if numbers:
                text = re.sub('"%s-([0-9]+)"' % self.mark, lambda m: numbers[int(m.group(1))], text)
            return text.encode(), "application/json"
        except Exception as e:
            raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % e)


def emit(text):
    """Writes one log event in one piece."""
    sys.stdout.write(text.rstrip("\n").replace("\r\n", "\r").replace("\n", "\r") + "\n")


class LogHandler(logging.Handler):
    """The handler of the root logger. request_id and tenant_id are those of the current invocation."""

    request_id, tenant_id = "", None

    def emit(self, record):
        record.aws_request_id, record.tenant_id = self.request_id, self.tenant_id
        emit(self.format(record))


class JSONFormatter(logging.Formatter):
    """The lines of LoggingConfig.LogFormat JSON."""

    own = set(vars(logging.makeLogRecord({}))) | {"message", "aws_request_id", "tenant_id"}

    def format(self, record):
        line = {
            "timestamp": timestamp(record.created),
            "level": LEVELS[min(50, max(0, record.levelno)) // 10],
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.aws_request_id,
        }
        if record.exc_info:
            kind, value, trace = record.exc_info
            line.update(stackTrace=traceback.format_tb(trace), errorType=kind.__name__, errorMessage=str(value))
            line["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        if record.tenant_id is not None:
            line["tenantId"] = record.tenant_id
        line.update((k, v) for k, v in vars(record).items() if k not in self.own and k not in line and v is not None)
        return json.dumps(line, ensure_ascii=False, default=str)


def timestamp(seconds):
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)), seconds * 1000 % 1000)


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = LogHandler()
    text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    handler.setFormatter(JSONFormatter() if JSON_LOGS else logging.Formatter(text, "%Y-%m-%dT%H:%M:%S"))
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper().replace("TRACE", "DEBUG").replace("FATAL", "CRITICAL")
    if level in LEVELS:
        logging.getLogger().setLevel(level)
    logging.getLogger().addHandler(handler)
    return handler


def failure(error, request_id=""):
    """The error object that Lambda returns to the caller. Frames of this file are none of the function's."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        # Plain tuples: Lambda shows no carets under the lines.
        frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
        own = next((i for i, frame in enumerate(frames) if frame[0] != __file__), 0)
        kind, trace = type(error).__name__, traceback.format_list(frames[own:])
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def log_failure(failed):
    if JSON_LOGS:
        return emit(json.dumps(dict(timestamp=timestamp(time.time()), level="ERROR", **failed), ensure_ascii=False))
    message = ": " + failed["errorMessage"] if failed["errorMessage"] else ""
    lines = ["[ERROR] " + failed["errorType"] + message, "Traceback (most recent call last):"]
    for element in failed["stackTrace"]:
        for line in element.splitlines():
            text = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(text)) + text)  # consoles drop leading spaces
    emit("\n".join(lines))


def load(name):
    """Returns the function that a handler setting such as "app/module.handler" names."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as e:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, e))
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, e))
    except SyntaxError as e:
        trace = ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def serve(api, marshaller, handler, log):
    """Handles one invocation."""
    code, headers, event = api.call("GET", "invocation/next")
    if code != 200:
        sys.exit("LAMBDA_RUNTIME Failed to get next invocation. Http response code: %d" % code)
    request_id = headers["lambda-runtime-aws-request-id"]
    log.request_id, log.tenant_id = request_id, headers.get("lambda-runtime-aws-tenant-id")
    if "lambda-runtime-trace-id" in headers:
        os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    echo = "lambda-runtime-invocation-id"
    echo = [("Lambda-Runtime-Invocation-Id", headers[echo])] if echo in headers else []
    try:
        context = LambdaContext(headers)
        body, kind = marshaller.dumps(handler(marshaller.loads(event), context))
    except Exception as error:
        failed = failure(error, request_id)
        log_failure(failed)
        kind = failed["errorType"] if isinstance(error, Fault) else "Unhandled"
        headers = [("Content-Type", "application/json"), (ERROR_TYPE, kind)]
        api.post("invocation/%s/error" % request_id, json.dumps(failed).encode(), headers + echo)
        return
    api.post("invocation/%s/response" % request_id, body, [("Content-Type", kind)] + echo)


def restore(api):
    """Runs the function's hooks before and after its snapshot. What fails before it is an error of the initialization."""
    import snapshot_restore_py

    try:
        hooks = snapshot_restore_py.get_before_snapshot()
        while hooks:
            func, args, kwargs = hooks.pop()
            func(*args, **kwargs)
    except BaseException as error:
        give_up(api, "init/error", error, 64, "Runtime.BeforeSnapshotError")
    code, _, _ = api.call("GET", "restore/next")
    if code != 200:
        sys.exit("LAMBDA_RUNTIME Failed to wait for the restore. Http response code: %d" % code)
    api.disconnect()
    try:
        for func, args, kwargs in snapshot_restore_py.get_after_restore():
            func(*args, **kwargs)
    except BaseException as error:
        give_up(api, "restore/error", error, 65, "Runtime.AfterRestoreError")


def give_up(api, path, error, status, kind=None):
    """Reports an error after which no invocation can be served, by its own type if kind is none, and exits."""
    failed = failure(error)
    log_failure(failed)
    api.post(path, json.dumps(failed).encode(), [("Content-Type", "application/json"), (ERROR_TYPE, kind or failed["errorType"])])
    sys.exit(status)


def become_function(api):
    """Waits for the environment of a function, and has no other afterwards."""
    code, _, variables = api.call("GET", "licet/environment")
    if code != 200:
        sys.exit("LAMBDA_RUNTIME Failed to get the environment. Http response code: %d" % code)
    api.disconnect()
    os.environ.clear()
    os.environ.update(variable.split("=", 1) for variable in json.loads(variables))
    os.chdir(os.environ["LAMBDA_TASK_ROOT"])


def main():
    global JSON_LOGS
    endpoint.install()
    api = RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if "_HANDLER" not in os.environ:
        become_function(api)
    JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    layers = sys.argv.pop()
    # Layers have packages under the runtime's name, also where the host runs it by another version.
    version = os.environ.get("AWS_EXECUTION_ENV", "").partition("AWS_Lambda_")[2] or "python%d.%d" % sys.version_info[:2]
    sys.path[:0] = [
        os.environ.get("LAMBDA_TASK_ROOT", os.getcwd()),
        os.path.join(layers, "python", "lib", version, "site-packages"),
        os.path.join(layers, "python"),
    ]
    log = set_up_logging()
    marshaller = Marshaller()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        give_up(api, "init/error", error, 1)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        restore(api)
    while True:
        serve(api, marshaller, handler, log)


if __name__ == "__main__":
    main()
