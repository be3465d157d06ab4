"""Firehose's API on loopback: what boto3 needs to put records into the stream.

JSON 1.1 protocol, the calls and limits of the API reference: 1,000 KiB a record, 500
records and 4 MiB a batch, names of 1 to 64 characters.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final, Protocol

from audit_record import limits
from chatbot_audit.sandbox.faults import PutFaults
from chatbot_audit.sandbox.function.invocations import STREAM_ARN
from chatbot_audit.sandbox.loopback import LoopbackServer, QuietHandler
from chatbot_audit.sandbox.settings import DELIVERY_STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGET: Final = "Firehose_20150804."
_CONTENT_TYPE: Final = "application/x-amz-json-1.1"
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}", re.ASCII)
_CREDENTIAL: Final = re.compile(r"Credential=([^/,\s]+)/")
_BUSY: Final = "ServiceUnavailableException"
_BUSY_TEXT: Final = "Slow down."


class ApiError(Exception):
    """A call is refused.

    Attributes:
        code: AWS's name of the error.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Caller(Protocol):
    """A process that puts records and can be killed."""

    def doom(self) -> Callable[[], None]:
        """Let it never answer what it works on; return what kills it now."""


class FirehoseApi:
    """The API of one delivery stream.

    Args:
        put: Takes the bytes of one record and the access key of who puts it;
            returns the record's id.
        port: Port to listen on; 0 takes a free one.
        faults: What goes wrong on purpose.
        find_caller: Returns the process of ours that has an access key, if any.

    Attributes:
        calls: Name and count of records of each call that was carried out.

    Raises:
        PortTakenError: Something else listens there.
    """

    def __init__(
        self,
        put: Callable[[bytes, str], str],
        port: int = 0,
        faults: PutFaults | None = None,
        find_caller: Callable[[str], Caller | None] = lambda _: None,
    ) -> None:
        self._put = put
        self._find_caller = find_caller
        self._faults = faults or PutFaults()
        self._lock = threading.Lock()
        self.calls: list[tuple[str, int]] = []
        self._server = LoopbackServer(_handler_class(self), port)

    @property
    def url(self) -> str:
        """Return the endpoint URL."""
        return self._server.url

    def start(self) -> None:
        """Begin to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def call(self, name: str, request: Any, access_key: str = "") -> dict[str, Any]:
        """Carry out one call.

        Raises:
            ApiError: The request is refused; nothing of it was put.
        """
        if not isinstance(request, dict):
            raise ApiError("SerializationException", "the request is no JSON object")
        _require_stream(request.get("DeliveryStreamName"))
        if name == "DescribeDeliveryStream":
            return _description()
        if name not in ("PutRecord", "PutRecordBatch"):
            raise ApiError("UnknownOperationException", "the sandbox has no such call")
        self._refuse_on_purpose()
        if name == "PutRecord":
            data = _data(request.get("Record"))
            self._see(name, 1)
            return {"RecordId": self._put(data, access_key), "Encrypted": False}
        return self._put_batch(_batch(request.get("Records")), access_key)

    def doom_caller(self, access_key: str) -> Callable[[], None] | None:
        """Return what kills the caller once it has its answer; None if it may live."""
        caller = self._find_caller(access_key)
        if caller is None or not self._faults.killed_callers.take():
            return None
        return caller.doom()

    def _refuse_on_purpose(self) -> None:
        if self._faults.refusal_code:
            raise ApiError(self._faults.refusal_code, "refused on purpose")
        if self._faults.throttled_calls.take():
            raise ApiError(_BUSY, _BUSY_TEXT, 503)

    def _put_batch(self, batch: list[bytes], access_key: str) -> dict[str, Any]:
        self._see("PutRecordBatch", len(batch))
        is_partial = self._faults.partial_calls.take()
        failed = self._faults.failed_positions if is_partial else frozenset()
        answers = [
            {"ErrorCode": _BUSY, "ErrorMessage": _BUSY_TEXT}
            if position in failed
            else {"RecordId": self._put(data, access_key)}
            for position, data in enumerate(batch)
        ]
        count = sum("ErrorCode" in answer for answer in answers)
        return {
            "FailedPutCount": count,
            "Encrypted": False,
            "RequestResponses": answers,
        }

    def _see(self, name: str, count: int) -> None:
        with self._lock:
            self.calls.append((name, count))


def _handler_class(api: FirehoseApi) -> type[QuietHandler]:
    class Endpoint(QuietHandler):
        """One POST path, the call's name in a header."""

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            body = self.read_body()
            name = (self.headers.get("X-Amz-Target") or "").removeprefix(_TARGET)
            access_key = _access_key(self.headers.get("Authorization") or "")
            try:
                answer = api.call(name, _parsed(body), access_key)
            except ApiError as error:
                value = {"__type": error.code, "message": str(error)}
                self._send(error.status, value)
                return
            kill = api.doom_caller(access_key)
            self._send(200, answer)
            if kill is not None:
                kill()

        def _send(self, status: int, value: dict[str, Any]) -> None:
            headers = {"x-amzn-RequestId": str(uuid.uuid4())}
            self.answer(status, json.dumps(value).encode(), _CONTENT_TYPE, headers)

    return Endpoint


def _access_key(authorization: str) -> str:
    match = _CREDENTIAL.search(authorization)
    return match.group(1) if match else ""


def _parsed(body: bytes | None) -> Any:
    try:
        return json.loads(body or b"")
    except (ValueError, RecursionError):
        raise ApiError("SerializationException", "the request is no JSON") from None


def _require_stream(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ApiError("ValidationException", "the stream's name is not valid")
    if name != DELIVERY_STREAM:
        raise ApiError("ResourceNotFoundException", "there is no such stream")


def _batch(records: Any) -> list[bytes]:
    if not isinstance(records, list) or not records:
        raise ApiError("ValidationException", "Records must not be empty")
    if len(records) > limits.MAX_PUT_RECORD_BATCH_COUNT:
        raise ApiError("ValidationException", "a batch has more than 500 records")
    batch = [_data(record) for record in records]
    if sum(map(len, batch)) > limits.MAX_PUT_RECORD_BATCH_BYTES:
        raise ApiError("InvalidArgumentException", "a batch is over 4 MiB")
    return batch


def _data(record: Any) -> bytes:
    data = record.get("Data") if isinstance(record, dict) else None
    if not isinstance(data, str) or not data:
        # AWS takes an empty record; nobody who sends one means to.
        raise ApiError("ValidationException", "a record has no data")
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("SerializationException", "Data is no base64") from None
    if len(decoded) > limits.MAX_FIREHOSE_RECORD_BYTES:
        raise ApiError("ValidationException", "a record is over 1,000 KiB")
    return decoded


def _description() -> dict[str, Any]:
    return {
        "DeliveryStreamDescription": {
            "DeliveryStreamName": DELIVERY_STREAM,
            "DeliveryStreamARN": STREAM_ARN,
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamType": "DirectPut",
            "VersionId": "1",
            "Destinations": [],
            "HasMoreDestinations": False,
        }
    }
