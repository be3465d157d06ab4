"""CloudWatch Logs, Kinesis and S3 on loopback, with a real subscription filter.

The filter forwards envelopes to a Kinesis stream, which is only moto's hand-over:
the simulated Firehose stream is Direct PUT. `forwarded` gives what AWS would.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chatbot_audit.sandbox.aws.endpoint import AwsEndpoint
from chatbot_audit.sandbox.aws.subscription import Envelope, Rebatcher
from chatbot_audit.sandbox.errors import ServerError
from chatbot_audit.sandbox.loopback import HOST
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
_PAGE_RECORDS: Final = 1_000
# The process needs a second or two to load; the first call waits for it. An empty
# dict of proxies switches off those of the machine.
_CLIENT_CONFIG: Final = Config(
    connect_timeout=10,
    read_timeout=60,
    proxies={},
    retries={"total_max_attempts": 2},
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
        self._endpoint = AwsEndpoint(port)
        self._rebatcher = Rebatcher(seed)
        self._iterators: list[str] = []
        # moto's own ids of the events that its filter handed over.
        self._handed_over: set[str] = set()
        self.url = self._endpoint.url
        self.logs = self._client("logs")
        self.s3 = self._client("s3")
        self._kinesis = self._client("kinesis")

    def start(self) -> None:
        """Start the server and make group, filter, streams and bucket.

        Raises:
            ServerError: It does not answer.
        """
        self._endpoint.start()
        try:
            self._make_resources()
        except (BotoCoreError, ClientError) as error:
            raise ServerError(
                "the AWS endpoint did not start; run: make setup"
            ) from error

    def stop(self) -> None:
        """Stop the server."""
        for client in (self.logs, self.s3, self._kinesis):
            client.close()
        self._endpoint.stop()

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
            "NO_PROXY": HOST,
        }

    def forwarded(self) -> Iterator[Envelope]:
        """Yield what the filter forwarded since the last call, in AWS's shape."""
        return self._rebatcher.pack(self._messages())

    def unforwarded(self) -> set[str]:
        """Return moto's ids of the events in the log group that never came out."""
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=LOG_GROUP
        )
        written = {str(e["eventId"]) for page in pages for e in page["events"]}
        return written - self._handed_over

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
                    message = json.loads(gzip.decompress(record["Data"]))
                    self._handed_over |= {str(e["id"]) for e in message["logEvents"]}
                    yield message

    def _next_records(self, number: int) -> list[dict[str, Any]]:
        answer = self._kinesis.get_records(
            ShardIterator=self._iterators[number], Limit=_PAGE_RECORDS
        )
        self._iterators[number] = answer["NextShardIterator"]
        records: list[dict[str, Any]] = answer["Records"]
        return records
