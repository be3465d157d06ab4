"""What is repaired of moto."""

from __future__ import annotations

import pytest

from chatbot_audit.sandbox.aws.endpoint import (
    answers_in_kind,
    rejected_as_aws_says,
)

NOW_MS = 1_795_600_000_000
HOUR_MS = 60 * 60 * 1_000


def events(*hours):
    return [{"timestamp": NOW_MS + hour * HOUR_MS} for hour in hours]


@pytest.mark.parametrize(
    ("hours", "rejected", "expected"),
    [
        ((0,), {}, {}),
        ((-999,), {"tooOldLogEventEndIndex": 0}, {"tooOldLogEventEndIndex": 1}),
        ((-999, -998, 0), {"tooOldLogEventEndIndex": 1}, {"tooOldLogEventEndIndex": 2}),
        ((0, 3, 4), {"tooNewLogEventStartIndex": 2}, {"tooNewLogEventStartIndex": 1}),
        (
            (-999, 3),
            {"tooOldLogEventEndIndex": 0, "tooNewLogEventStartIndex": 1},
            {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 1},
        ),
    ],
)
def test_indices_of_rejected_events_are_awss(hours, rejected, expected):
    """The end of the old ones is exclusive; the start of the new ones is the first."""
    assert rejected_as_aws_says(events(*hours), rejected, NOW_MS) == expected


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("application/x-amz-json-1.1", "application/x-amz-json-1.1"),
        ("application/xml", "text/html"),
        (None, "text/html"),
    ],
)
def test_a_json_call_is_answered_as_json(asked, answered):
    """What moto calls a page is what was asked for; S3 keeps its own kinds."""
    started = []

    def moto(environ, start_response):
        headers = [("Content-Type", "text/html"), ("X-Other", "1")]
        start_response("200 OK", headers)
        return [b"{}"]

    environ = {} if asked is None else {"CONTENT_TYPE": asked}
    body = answers_in_kind(moto)(environ, lambda *told: started.append(told))

    assert body == [b"{}"]
    headers = [("Content-Type", answered), ("X-Other", "1")]
    assert started == [("200 OK", headers)]
