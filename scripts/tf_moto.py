"""Run moto on the loopback, with what it lacks and the AWS provider reads back.

Usage: ``python -m scripts.tf_moto PORT``. Added to moto 5.2.5: the class of a log
group and a function's logging options, which it takes and forgets, the request
metrics of buckets, which it does not know, and the content type of JSON answers,
which it calls HTML.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from moto.awslambda.models import LambdaFunction
from moto.logs.models import LogGroup
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import run_simple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_JSON: Final = "application/x-amz-json-1.1"


class Repairs:
    """Answers ``?metrics&id=...`` of S3; everything else goes on to *app*."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._kept: dict[tuple[str, str], bytes] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request, as WSGI has it."""
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if "metrics" not in query or "id" not in query:
            is_json = environ.get("CONTENT_TYPE") == _JSON
            start = _as_json(start_response) if is_json else start_response
            return self._app(environ, start)
        key = (environ["PATH_INFO"], query["id"][0])
        method = environ["REQUEST_METHOD"]
        if method == "PUT":
            length = int(environ.get("CONTENT_LENGTH") or 0)
            self._kept[key] = environ["wsgi.input"].read(length)
            start_response("200 OK", [])
            return [b""]
        if method == "DELETE" and self._kept.pop(key, None):
            start_response("204 No Content", [])
            return [b""]
        if body := self._kept.get(key):
            start_response("200 OK", [("Content-Type", "application/xml")])
            return [body]
        start_response("404 Not Found", [("Content-Type", "application/xml")])
        return [b"<Error><Code>NoSuchConfiguration</Code></Error>"]


def _as_json(start_response: Callable[..., Any]) -> Callable[..., Any]:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        others = [item for item in headers if item[0].lower() != "content-type"]
        return start_response(status, [*others, ("Content-Type", _JSON)], *rest)

    return start


def repair_moto() -> None:
    """Make moto give back what it was given."""
    describe_group = LogGroup.to_describe_dict
    make_function = LambdaFunction.__init__
    describe_function = LambdaFunction.get_configuration

    def with_class(self: Any) -> dict[str, Any]:
        return describe_group(self) | {"logGroupClass": "STANDARD"}

    def keep_logging(
        self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any
    ) -> None:
        make_function(self, account_id, spec, *rest, **named)
        self.logging_config = spec.get("LoggingConfig", {})

    def with_logging(self: Any, *rest: Any, **named: Any) -> dict[str, Any]:
        kept = {"LoggingConfig": self.logging_config}
        return describe_function(self, *rest, **named) | kept

    LogGroup.to_describe_dict = with_class  # type: ignore[method-assign]
    LambdaFunction.__init__ = keep_logging  # type: ignore[method-assign]
    LambdaFunction.get_configuration = with_logging  # type: ignore[method-assign]


def main() -> None:
    """Serve until the process is ended."""
    port = int(sys.argv[1])
    os.environ["MOTO_PORT"] = str(port)
    repair_moto()
    app = Repairs(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", port, app, threaded=True)


if __name__ == "__main__":
    main()
