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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audit_record import limits
from chatbot_audit.sandbox.firehose import STREAM_ARN
from chatbot_audit.sandbox.loopback import LoopbackServer, QuietHandler
from chatbot_audit.sandbox.settings import DELIVERY_STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGET: Final = "Firehose_20150804."
_CONTENT_TYPE: Final = "application/x-amz-json-1.1"
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}", re.ASCII)


@dataclass
class PutFaults:
    """What the API does wrong on purpose; a test changes it as it goes.

    Attributes:
        refused_calls: So many calls are throttled as a whole.
        failed_positions: These positions fail in each of the next batches.
        failing_calls: So many calls fail at those positions.
        error_code: If set, every call is refused with it.
    """

    refused_calls: int = 0
    failed_positions: frozenset[int] = frozenset()
    failing_calls: int = 0
    error_code: str = ""


class ApiError(Exception):
    """A call is refused."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass
class FirehoseApi:
    """The API of one delivery stream.

    Attributes:
        put: Takes one record; returns its id.
        port: Port to listen on; 0 takes a free one.
        faults: What goes wrong on purpose.
        calls: Names and sizes of the calls made, for tests.
    """

    put: Callable[[bytes], str]
    port: int = 0
    faults: PutFaults = field(default_factory=PutFaults)
    calls: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = LoopbackServer(self._handler_class(), self.port)

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

    def call(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one call.

        Raises:
            ApiError: The request is refused.
        """
        stream = request.get("DeliveryStreamName")
        if not isinstance(stream, str) or not _NAME.fullmatch(stream):
            raise ApiError("ValidationException", "the stream's name is not valid")
        if stream != DELIVERY_STREAM:
            raise ApiError("ResourceNotFoundException", "there is no such stream")
        if name == "DescribeDeliveryStream":
            return _description()
        with self._lock:
            self._refuse()
        if name == "PutRecord":
            self.calls.append((name, 1))
            data = _data(request.get("Record"))
            return {"RecordId": self.put(data), "Encrypted": False}
        if name == "PutRecordBatch":
            return self._put_batch(request.get("Records"))
        raise ApiError("UnknownOperationException", "the sandbox has no such call")

    def _refuse(self) -> None:
        if self.faults.error_code:
            raise ApiError(self.faults.error_code, "refused on purpose")
        if self.faults.refused_calls > 0:
            self.faults.refused_calls -= 1
            raise ApiError("ServiceUnavailableException", "slow down", 503)

    def _put_batch(self, records: Any) -> dict[str, Any]:
        if not isinstance(records, list) or not records:
            raise ApiError("ValidationException", "Records must not be empty")
        if len(records) > limits.MAX_PUT_RECORD_BATCH_COUNT:
            raise ApiError("ValidationException", "more than 500 records")
        batch = [_data(record) for record in records]
        if sum(map(len, batch)) > limits.MAX_PUT_RECORD_BATCH_BYTES:
            raise ApiError("InvalidArgumentException", "more than 4 MiB")
        with self._lock:
            self.calls.append(("PutRecordBatch", len(batch)))
            failed = self._failed_positions()
        answers = [self._put_one(n, data, failed) for n, data in enumerate(batch)]
        count = sum("ErrorCode" in answer for answer in answers)
        return {
            "FailedPutCount": count,
            "Encrypted": False,
            "RequestResponses": answers,
        }

    def _failed_positions(self) -> frozenset[int]:
        if self.faults.failing_calls <= 0:
            return frozenset()
        self.faults.failing_calls -= 1
        return self.faults.failed_positions

    def _put_one(
        self, position: int, data: bytes, failed: frozenset[int]
    ) -> dict[str, Any]:
        if position in failed:
            return {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow."}
        return {"RecordId": self.put(data)}

    def _handler_class(self) -> type[QuietHandler]:
        api = self

        class Endpoint(QuietHandler):
            """One POST path, the call's name in a header."""

            def do_POST(self) -> None:  # noqa: N802 - http.server's name
                body = self.read_body()
                name = (self.headers.get("X-Amz-Target") or "").removeprefix(_TARGET)
                try:
                    answer = api.call(name, _request(body))
                except ApiError as error:
                    value = {"__type": error.code, "message": str(error)}
                    self.answer(error.status, json.dumps(value).encode(), _CONTENT_TYPE)
                    return
                self.answer(200, json.dumps(answer).encode(), _CONTENT_TYPE)

        return Endpoint


def _request(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ApiError("SerializationException", "the request is no JSON object")
    return value


def _data(record: Any) -> bytes:
    data = record.get("Data") if isinstance(record, dict) else None
    try:
        decoded = (
            base64.b64decode(data, validate=True) if isinstance(data, str) else b""
        )
    except binascii.Error:
        raise ApiError("SerializationException", "Data is no base64") from None
    if not decoded:
        raise ApiError("ValidationException", "a record has no data")
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
