"""Lets a botocore that is older than AWS_ENDPOINT_URL (1.31, July 2023; Debian 12 has 1.29) take its endpoint from it, as newer ones do.

It changes nothing of a newer botocore, whether of the system or of the function. Precedence is botocore's own: an endpoint_url argument,
AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
"""

import importlib.util
import os
import sys

FIRST_VERSION = (1, 31)
ENDPOINT_POSITION = 5  # of endpoint_url among the arguments of create_client that follow the service's name


class Finder:
    """Finds botocore.session as usual and changes it after it has run; then it takes itself away."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            honour_environment(module)

        spec.loader.exec_module = exec_module
        return spec


def honour_environment(session):
    """Makes Session.create_client fill in the endpoint."""
    version = sys.modules["botocore"].__version__.split(".")
    if tuple(int(part) for part in version[:2]) >= FIRST_VERSION:
        return
    create_client = session.Session.create_client

    def create_client_with_endpoint(self, service_name, *args, **kwargs):
        if len(args) < ENDPOINT_POSITION and not kwargs.get("endpoint_url"):
            service = service_name.upper().replace("-", "_")
            url = os.environ.get("AWS_ENDPOINT_URL_" + service) or os.environ.get("AWS_ENDPOINT_URL")
            if url:
                kwargs["endpoint_url"] = url
        return create_client(self, service_name, *args, **kwargs)

    session.Session.create_client = create_client_with_endpoint


def install():
    sys.meta_path.insert(0, Finder())
