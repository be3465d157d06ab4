"""Split an envelope whose output fits no response into envelopes that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit_record.codec import dumps
from subscription_transformer.envelope import (
    DATA_MESSAGE,
    Event,
    SubscriptionMessage,
)
from subscription_transformer.put_back import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Events of that size together always gzip to less than a Firehose record may have:
# text that compresses worst keeps 85 % of its size at level 6.
_MAX_PART_BYTES: Final = 1_100_000


def split_envelope(
    message: SubscriptionMessage, output_bytes: Sequence[int], budget_bytes: int
) -> list[bytes]:
    """Return wrapped envelopes that hold the events of *message*, in order.

    Args:
        message: What is too large.
        output_bytes: Size of the output of each event that is not blank, in order.
        budget_bytes: What the output of one envelope may take in a response; half
            of it is used, since base64 takes a third more and ids take some.
    """
    events = [
        event
        for event in message.log_events
        if event.message and not event.message.isspace()
    ]
    return [
        wrap("envelope", dumps(_envelope(message, part)), message.generation + 1)
        for part in _parts(events, output_bytes, budget_bytes // 2)
    ]


def _parts(
    events: Sequence[Event], output_bytes: Sequence[int], max_output_bytes: int
) -> Iterator[list[Event]]:
    part: list[Event] = []
    made_bytes = taken_bytes = 0
    for event, output in zip(events, output_bytes, strict=True):
        size = len(dumps(event.raw))
        is_full = (
            made_bytes + output > max_output_bytes
            or taken_bytes + size > _MAX_PART_BYTES
        )
        if part and is_full:
            yield part
            part, made_bytes, taken_bytes = [], 0, 0
        part.append(event)
        made_bytes += output
        taken_bytes += size
    if part:
        yield part


def _envelope(message: SubscriptionMessage, events: list[Event]) -> dict[str, object]:
    return {
        "messageType": DATA_MESSAGE,
        "owner": message.owner,
        "logGroup": message.log_group,
        "logStream": message.log_stream,
        "subscriptionFilters": list(message.subscription_filters),
        "logEvents": [dict(event.raw) for event in events],
    }
