"""The Lambda's answer: every id once, in order, in bytes that are counted.

The answer is built as JSON text once. AWS's runtime client would write a dict with
simplejson at a fifth of the speed; its `marshaller` is a class attribute that
functions may replace, as its docstring says. Where anything about that differs the
answer is an ordinary dict and nothing else changes.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from subscription_transformer.firehose import Result, TransformedRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_b64encode: Callable[[bytes], bytes]
try:
    import pybase64

    _b64encode = pybase64.b64encode
except ImportError:  # the standard library does the same, more slowly
    _b64encode = base64.b64encode

_CLIENT_MODULE: Final = "awslambdaric.lambda_runtime_client"
_FRAME: Final = '{"recordId":%s,"result":"%s","data":"%s"}'
_FRAME_WITHOUT_DATA: Final = '{"recordId":%s,"result":"%s"}'
# Counted as the runtime client writes a dict, with a space behind each comma and
# colon: the response fits whichever way it is sent.
ENVELOPE_BYTES: Final = len('{"records": []}')
_WIDE_FRAME_BYTES: Final = len('{"recordId": , "result": "", "data": ""}, ')
_WIDE_FRAME_WITHOUT_DATA_BYTES: Final = len('{"recordId": , "result": ""}, ')


class Response(dict[str, Any]):
    """The answer as a dict that can also write itself as JSON."""

    def __init__(self, records: Iterable[TransformedRecord]) -> None:
        super().__init__(records=[_as_dict(record) for record in records])

    def text(self) -> str:
        """Return the answer as JSON: the same as a JSON library writes, sooner."""
        return '{"records":[' + ",".join(map(_as_text, self["records"])) + "]}"


def answered_bytes(record: TransformedRecord) -> int:
    """Return the most that *record* takes in a response, its comma included."""
    words_bytes = len(json.dumps(record.firehose_record_id)) + len(record.result.value)
    if record.data is None:
        return _WIDE_FRAME_WITHOUT_DATA_BYTES + words_bytes
    encoded_bytes = (len(record.data) + 2) // 3 * 4
    return _WIDE_FRAME_BYTES + words_bytes + encoded_bytes


def install_marshaller() -> bool:
    """Let the runtime client send `Response.text` as it is; tell whether it will."""
    client = getattr(sys.modules.get(_CLIENT_MODULE), "LambdaRuntimeClient", None)
    marshaller = getattr(client, "marshaller", None)
    if client is None or not callable(getattr(marshaller, "marshal_response", None)):
        return False
    if isinstance(marshaller, _Marshaller):
        return True
    try:
        client.marshaller = _Marshaller(marshaller)
    except (AttributeError, TypeError):
        return False
    return True


class _Marshaller:
    """Stands before the runtime client's own marshaller."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def marshal_response(self, response: Any) -> tuple[Any, str]:
        """Return our text as JSON, and leave anything else to the original."""
        if isinstance(response, Response):
            return response.text(), "application/json"
        result: tuple[Any, str] = self._original.marshal_response(response)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def _as_dict(record: TransformedRecord) -> dict[str, str]:
    answer = {"recordId": record.firehose_record_id, "result": record.result.value}
    if record.result is Result.OK and record.data is not None:
        answer["data"] = _b64encode(record.data).decode("ascii")
    return answer


def _as_text(answer: dict[str, str]) -> str:
    name = json.dumps(answer["recordId"])
    if "data" in answer:
        return _FRAME % (name, answer["result"], answer["data"])
    return _FRAME_WITHOUT_DATA % (name, answer["result"])
