"""What Terraform names a fallback filter is what the transformer believes."""

from __future__ import annotations

import hashlib
import json

import pytest

from subscription_transformer.envelope import LogEvent, SubscriptionMessage
from subscription_transformer.fallback import MARKER, unwrap
from tests.terraform.plan_file import resources

pytestmark = pytest.mark.terraform

LINE = '{"bot_name":"VeraResearch"}'


def envelope(filter_name, bot_name):
    """Return a fallback line of a bot in an envelope that came by a filter."""
    parts = {
        "log_group": "/aws/ai-bots/audit-logs",
        "log_stream": f"{bot_name}/2026/11/25/[$LATEST]0a1b",
        "line": LINE,
        "line_sha256": hashlib.sha256(LINE.encode()).hexdigest(),
    }
    event = LogEvent("1", 1_795_560_000_123, MARKER + json.dumps(parts), {})
    message = SubscriptionMessage(
        owner="123456789012",
        log_group="/aws/lambda/VeraResearch",
        log_stream="2026/11/25/[$LATEST]0a1b",
        subscription_filters=(filter_name,),
        log_events=[event],
    )
    return event, message


@pytest.mark.parametrize("example", ["splunk", "both", "cross_account"])
def test_filters_vouch_for_their_bot(planned, example):
    """A line that comes by a bot's filter counts as that bot's, and as no other's."""
    plan = planned(f"examples/{example}")
    kind = "aws_cloudwatch_log_subscription_filter"

    names = [item["name"] for item in resources(plan, kind, "fallback").values()]

    assert names
    for name in names:
        own = unwrap(*envelope(name, "VeraResearch"))
        other = unwrap(*envelope(name, "HRBot"))
        assert own is not None
        assert own[3] == (), name
        assert other is not None
        assert other[3] == ("mismatch:fallback",)


def test_the_pattern_finds_what_the_library_writes(planned):
    """The filter's pattern is the marker's one word."""
    kind = "aws_cloudwatch_log_subscription_filter"

    (found,) = resources(planned("examples/splunk"), kind, "fallback").values()

    assert found["filter_pattern"] == MARKER.strip()
