"""CloudWatch Logs, Kinesis and S3 on loopback, by moto, with its laxities repaired.

A real subscription filter forwards envelopes to a Kinesis stream, which is only the
hand-over. moto forwards one envelope for each put, with small integers as event ids
and sometimes without any event; AWS packs several events of a stream together and
numbers them with 56 digits. `forwarded` gives what AWS would.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
import requests
from botocore.config import Config
from moto.server import ThreadedMotoServer

from chatbot_audit.sandbox.errors import ServerError
from chatbot_audit.sandbox.loopback import HOST, require_free
from chatbot_audit.sandbox.settings import (
    ACCOUNT_ID,
    FAILURE_BUCKET,
    LOG_GROUP,
    REGION,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FILTER_NAME: Final = "chatbot-audit"
_HAND_OVER: Final = "chatbot-audit-hand-over"
_ROLE_ARN: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/chatbot-audit-subscription"
# CloudWatch keeps one envelope under Firehose's 1,000 KiB of gzip; text of that
# size always does.
_MAX_ENVELOPE_BYTES: Final = 1_000_000
_MAX_EVENTS: Final = 8
_TIMEOUT_S: Final = 10.0
_CLIENT_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}
)


@dataclass
class Envelope:
    """One subscription message as AWS would send it.

    Attributes:
        head: Everything but the events.
        events: The events.
    """

    head: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)

    def data(self) -> bytes:
        """Return the gzip that the stream is given."""
        return gzip.compress(
            json.dumps(self.head | {"logEvents": self.events}).encode(), 6, mtime=0
        )


class CloudWatch:
    """The AWS side of the sandbox.

    Args:
        port: Port of the endpoint; 0 takes a free one.
        seed: Makes the same envelopes of the same events again.

    Raises:
        PortTakenError: Something else listens there.
    """

    def __init__(self, port: int = 0, seed: int = 1) -> None:
        require_free(port)
        self._server = ThreadedMotoServer(HOST, port, verbose=False)
        self._rng = random.Random(seed)  # noqa: S311 - the shape of batches
        self._iterators: list[str] = []
        self._numbers: dict[str, int] = {}

    def start(self) -> None:
        """Start the server and make group, filter, streams and bucket."""
        # The server's request log would fill the screen.
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        try:
            self._server.start()
            host, port = self._server.get_host_and_port()
        except RuntimeError as error:
            raise ServerError("the AWS endpoint did not start") from error
        self.url = f"http://{host}:{port}"
        # moto keeps its state for the whole process: another sandbox may have run.
        requests.post(f"{self.url}/moto-api/reset", timeout=_TIMEOUT_S)
        self.logs = self._client("logs")
        self.s3 = self._client("s3")
        self._kinesis = self._client("kinesis")
        self._make_resources()

    def stop(self) -> None:
        """Stop the server."""
        for client in (self.logs, self.s3, self._kinesis):
            client.close()
        self._server.stop()

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables with which boto3 reaches this endpoint."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def forwarded(self) -> Iterator[Envelope]:
        """Yield what the filter forwarded since the last call, in AWS's shape."""
        waiting: dict[str, Envelope] = {}
        for message in self._messages():
            head = {key: value for key, value in message.items() if key != "logEvents"}
            name = json.dumps(head, sort_keys=True)
            for event in message["logEvents"]:
                envelope = waiting.setdefault(name, Envelope(head))
                if _is_full(envelope, event):
                    yield waiting.pop(name)
                    envelope = waiting.setdefault(name, Envelope(head))
                envelope.events.append(self._repaired(head, event))
                if self._rng.random() < 1 / 3:
                    yield waiting.pop(name)
        yield from waiting.values()

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - moto asks for any
            config=_CLIENT_CONFIG,
        )

    def _make_resources(self) -> None:
        self.s3.create_bucket(
            Bucket=FAILURE_BUCKET,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        self._kinesis.create_stream(StreamName=_HAND_OVER, ShardCount=1)
        stream = self._kinesis.describe_stream(StreamName=_HAND_OVER)
        description = stream["StreamDescription"]
        self.logs.create_log_group(logGroupName=LOG_GROUP)
        self.logs.put_subscription_filter(
            logGroupName=LOG_GROUP,
            filterName=FILTER_NAME,
            filterPattern="",
            destinationArn=description["StreamARN"],
            roleArn=_ROLE_ARN,
        )
        self._iterators = [
            self._kinesis.get_shard_iterator(
                StreamName=_HAND_OVER,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            for shard in description["Shards"]
        ]

    def _messages(self) -> Iterator[dict[str, Any]]:
        for number in range(len(self._iterators)):
            while records := self._next_records(number):
                for record in records:
                    yield json.loads(gzip.decompress(record["Data"]))

    def _next_records(self, number: int) -> list[dict[str, Any]]:
        answer = self._kinesis.get_records(
            ShardIterator=self._iterators[number], Limit=1_000
        )
        self._iterators[number] = answer["NextShardIterator"]
        records: list[dict[str, Any]] = answer["Records"]
        return records

    def _repaired(self, head: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        """Give an event an id like AWS's: 56 digits, unique in this sandbox."""
        stream = head["logStream"]
        number = self._numbers.get(stream, 0) + 1
        self._numbers[stream] = number
        digest = hashlib.sha256(stream.encode()).digest()[:9]
        # 13 digits of time, 22 of the stream, 21 of its own count.
        stream_digits = f"{int.from_bytes(digest) % 10**22:022d}"
        event_id = f"{event['timestamp']:013d}{stream_digits}{number:021d}"
        return {
            "id": event_id,
            "timestamp": event["timestamp"],
            "message": event["message"],
        }


def _is_full(envelope: Envelope, event: dict[str, Any]) -> bool:
    size = sum(len(other["message"]) for other in envelope.events)
    return len(envelope.events) >= _MAX_EVENTS or (
        size > 0 and size + len(event["message"]) > _MAX_ENVELOPE_BYTES
    )
