"""Record the AWS calls of a boto3 client, as the actions and resources IAM sees.

Actions and resource types: AWS's Service Authorization Reference, pages "Amazon
CloudWatch Logs" and "Amazon Kinesis Firehose", read 2026-11.
"""

from __future__ import annotations

ACCOUNT_ID = "123456789012"
REGION = "eu-west-1"


def _log_stream(request):
    return (
        f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{request['logGroupName']}"
        f":log-stream:{request['logStreamName']}"
    )


def _delivery_stream(request):
    name = request["DeliveryStreamName"]
    return f"arn:aws:firehose:{REGION}:{ACCOUNT_ID}:deliverystream/{name}"


# An operation that is not here is one that no policy of ours was made for.
_RESOURCES = {
    "logs:CreateLogStream": _log_stream,
    "logs:PutLogEvents": _log_stream,
    "firehose:PutRecordBatch": _delivery_stream,
}


class Recorder:
    """Collects ``(action, resource)`` of every call that a client makes."""

    def __init__(self, client):
        self.calls = set()
        client.meta.events.register("provide-client-params.*.*", self._see)

    def _see(self, params, model, **_):
        service = model.service_model.service_name
        action = f"{service}:{model.name}"
        self.calls.add((action, _RESOURCES[action](params)))
