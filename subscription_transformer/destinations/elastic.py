"""Elastic's Firehose endpoint: CloudWatch's envelope with finished messages.

The endpoint understands the envelope (log group and stream land in
``aws.cloudwatch.*``), so it is kept, each message replaced by its document.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from audit_record.codec import dumps
from subscription_transformer.envelope import DATA_MESSAGE, SubscriptionMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subscription_transformer.document import Document


def encode(message: SubscriptionMessage, documents: Sequence[Document]) -> bytes:
    """Return the gzip of *message*'s envelope with *documents* for its events.

    The gzip carries no time, so that the same input gives the same bytes.
    """
    envelope = {
        "messageType": DATA_MESSAGE,
        "owner": message.owner,
        "logGroup": message.log_group,
        "logStream": message.log_stream,
        "subscriptionFilters": list(message.subscription_filters),
        "logEvents": [_log_event(document) for document in documents],
    }
    return gzip.compress(dumps(envelope), compresslevel=6, mtime=0)


def _log_event(document: Document) -> dict[str, object]:
    return {
        "id": document.values.get("event_id", document.values.get("document_id", "")),
        "timestamp": document.index_ms,
        "message": document.json_with_time().decode(),
    }
