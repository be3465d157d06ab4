"""Where a bot runs, read from contexts, ARNs and the environment."""

from __future__ import annotations

import os
import re
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from emitter import AuditEmitter
from emitter.runtime import (
    is_on_aws,
    is_on_lambda,
    local_session_id,
    read_arn,
    read_runtime,
    read_trace_id,
)
from emitter.testing import MemorySink

ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:vera"
STREAM = "2026/11/24/[$LATEST]8f3c0d1e2a"


def make_context(**changes):
    """Return a Lambda context with *changes*."""
    values = {
        "invoked_function_arn": FUNCTION,
        "log_group_name": "/aws/lambda/vera",
        "log_stream_name": STREAM,
        "aws_request_id": "11111111-2222-3333-4444-555555555555",
        "get_remaining_time_in_millis": lambda: 9_000,
    }
    return SimpleNamespace(**(values | changes))


@pytest.mark.parametrize(
    ("arn", "account", "region"),
    [
        pytest.param(FUNCTION, ACCOUNT, "eu-west-1", id="plain"),
        pytest.param(f"{FUNCTION}:live", ACCOUNT, "eu-west-1", id="alias"),
        pytest.param(f"{FUNCTION}:42", ACCOUNT, "eu-west-1", id="version"),
        pytest.param(f"{FUNCTION}:$LATEST", ACCOUNT, "eu-west-1", id="latest"),
        pytest.param(
            f"arn:aws-us-gov:lambda:us-gov-west-1:{ACCOUNT}:function:vera",
            ACCOUNT,
            "us-gov-west-1",
            id="govcloud",
        ),
        pytest.param(
            f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:vera",
            ACCOUNT,
            "cn-north-1",
            id="china",
        ),
        pytest.param(
            f"arn:aws:bedrock-agentcore:eu-west-1:{ACCOUNT}:runtime/vera-a1b2c3",
            ACCOUNT,
            "eu-west-1",
            id="agentcore",
        ),
        pytest.param(
            f"arn:aws-eusc:lambda:eusc-de-east-1:{ACCOUNT}:function:vera",
            ACCOUNT,
            "eusc-de-east-1",
            id="sovereign cloud",
        ),
        pytest.param(
            f"arn:aws-iso-b:lambda:us-isob-east-1:{ACCOUNT}:function:vera",
            ACCOUNT,
            "us-isob-east-1",
            id="isolated",
        ),
        pytest.param("arn:aws:s3:::bucket", None, None, id="no region"),
        pytest.param("vera", None, None, id="bare name"),
        pytest.param(f"{ACCOUNT}:function:vera", None, None, id="partial"),
        pytest.param("", None, None, id="empty"),
        pytest.param(None, None, None, id="none"),
        pytest.param(7, None, None, id="not a text"),
    ],
)
def test_an_arn_tells_account_and_region(arn, account, region):
    """Every kind of ARN has them in the same place; what is none has neither."""
    assert read_arn(arn) == (account, region)


def test_a_lambda_context_tells_everything():
    """On Lambda all facts come from the context."""
    fields = read_runtime(make_context(), {}).as_fields(1_795_532_645_123)

    assert fields == {
        "aws_account_id": ACCOUNT,
        "session_id": STREAM,
        "aws_region": "eu-west-1",
        "log_group": "/aws/lambda/vera",
        "request_id": "11111111-2222-3333-4444-555555555555",
        "log_url": (
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home"
            "?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fvera"
            "/log-events/2026$252F11$252F24$252F$255B$2524LATEST$255D8f3c0d1e2a"
            "$3Fstart$3D1795532645123"
        ),
    }


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
    ],
)
def test_the_link_knows_the_partition(region, host):
    """Consoles of other partitions live elsewhere."""
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:vera"

    fields = read_runtime(make_context(invoked_function_arn=arn), {}).as_fields(0)

    assert fields["log_url"].startswith(f"https://{host}/")


def test_the_environment_fills_in():
    """Without a context Lambda's variables tell what they can."""
    environ = {
        "AWS_LAMBDA_LOG_STREAM_NAME": STREAM,
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/vera",
        "AWS_REGION": "eu-west-1",
    }

    facts = read_runtime(None, environ)

    assert facts.session_id == STREAM
    assert facts.aws_account_id == "unknown"
    assert facts.as_fields(0)["log_url"]
    assert facts.remaining_ms is None


def test_elsewhere_the_process_is_the_session():
    """A laptop has no log stream: host, process and start name it, for good."""
    facts = read_runtime(None, {})

    assert re.fullmatch(rf"local/[\w.\-]+/{os.getpid()}-\d+", facts.session_id)
    assert facts.session_id == local_session_id()
    assert "log_url" not in facts.as_fields(0)


def test_agentcore_has_a_session_and_an_arn():
    """AgentCore's context names its session; the runtime's ARN can be handed over."""
    arn = f"arn:aws:bedrock-agentcore:eu-west-1:{ACCOUNT}:runtime/vera-a1b2c3"

    by_context = read_runtime(SimpleNamespace(session_id="s-1"), {})
    by_arn = read_runtime(arn, {})

    assert by_context.session_id == "s-1"
    assert "log_url" not in by_context.as_fields(0)
    assert (by_arn.aws_account_id, by_arn.aws_region) == (ACCOUNT, "eu-west-1")


def test_an_account_can_be_named_where_no_arn_is():
    """On ECS or a laptop a variable may say it; nonsense does not count."""
    assert read_runtime(None, {"AWS_ACCOUNT_ID": ACCOUNT}).aws_account_id == ACCOUNT
    assert read_runtime(None, {"AWS_ACCOUNT_ID": "mine"}).aws_account_id == "unknown"


XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
XRAY_ID = "5759e988bd862e3fe1be46a994272793"
W3C = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
W3C_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("header", "trace_id"),
    [
        (XRAY, XRAY_ID),
        ("Self=1-x;Root=1-5759E988-BD862E3FE1BE46A994272793", XRAY_ID),
        (W3C, W3C_ID),
        (f" {W3C}-future", W3C_ID),
        ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", None),
        ("Root=1-5759e988-bd86", None),
        ("Root=1-5759e988-bd862e3fe1be46a994272793ff", None),
        ("", None),
        (None, None),
    ],
)
def test_trace_ids_of_both_kinds(header, trace_id):
    """X-Ray's root and W3C's traceparent become the same 32 digits."""
    assert read_trace_id(header) == trace_id


def test_lambdas_own_trace_comes_first():
    """The trace that Lambda's log lines carry beats the caller's."""
    event = {"headers": {"TraceParent": W3C}}

    assert read_runtime(None, {"_X_AMZN_TRACE_ID": XRAY}, event).trace_id == XRAY_ID
    assert read_runtime(None, {}, event).trace_id == W3C_ID
    assert read_runtime(None, {}, {"headers": [1]}).trace_id is None


class Hostile:
    """A context whose every attribute raises."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "make", [Hostile, object, int, list, dict, lambda: make_context(log_stream_name=7)]
)
def test_any_context_will_do(make):
    """What is no context tells nothing, and nothing raises."""
    facts = read_runtime(make(), {})

    assert facts.session_id.startswith("local/")


class TrapText(str):
    """A string that raises whatever is asked of it."""

    __slots__ = ()

    def _refuse(self, *args):
        raise RuntimeError("trap")

    strip = split = lower = encode = __len__ = __eq__ = __getitem__ = _refuse
    __hash__ = _refuse


class TrapClass:
    """An object that raises when it is asked what it is."""

    @property
    def __class__(self):
        raise RuntimeError("class")


class TrapHeaders(dict):
    """Headers that raise when they are read."""

    def items(self):
        raise RuntimeError("items")

    keys = __iter__ = items


def test_a_string_of_a_bots_own_class_is_read_as_a_string():
    """Only the characters count, not what the class makes of them."""
    context = make_context(
        log_stream_name=TrapText(STREAM), aws_request_id=TrapText("req-1")
    )

    assert read_runtime(TrapText(FUNCTION), {}).aws_account_id == ACCOUNT
    assert read_runtime(context, {}).session_id == STREAM
    assert read_runtime(context, {}).request_id == "req-1"
    assert read_trace_id(TrapText(XRAY)) == XRAY_ID


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"headers": TrapClass()},
        lambda: {"headers": TrapHeaders(traceparent=W3C)},
        lambda: {"headers": {"traceparent": TrapClass()}},
        lambda: {"headers": {TrapClass(): W3C, 7: W3C}},
        TrapClass,
    ],
    ids=["headers", "items", "value", "name", "event"],
)
def test_any_headers_will_do(make):
    """What cannot be read carries no trace, and nothing raises."""
    assert read_runtime(TrapClass(), {}, make()).trace_id is None


@pytest.mark.parametrize("left_ms", [10**400, -(10**400), 1e300, 10**15])
def test_a_time_left_beyond_reason_is_a_day(left_ms):
    """No arithmetic on it can overflow; a Lambda has minutes at most."""
    facts = read_runtime(make_context(get_remaining_time_in_millis=lambda: left_ms), {})

    assert abs(facts.remaining_ms()) == 86_400_000


def test_a_question_takes_any_context():
    """Neither making the question nor leaving it raises for a bot's own context."""
    sink = MemorySink()
    audit = AuditEmitter("Vera", sinks=[sink])
    endless = make_context(get_remaining_time_in_millis=lambda: 10**400)

    for context in (endless, TrapText(FUNCTION), TrapClass()):
        with audit.question({"headers": TrapClass()}, lambda_context=context) as q:
            q.reply("x")

    assert len(sink.records) == 3


@pytest.mark.parametrize(
    "remaining",
    [
        pytest.param(lambda: "soon", id="text"),
        pytest.param(lambda: None, id="none"),
        pytest.param(lambda: float("nan"), id="nan"),
        pytest.param(MagicMock(), id="mock"),
        pytest.param(lambda: 1 / 0, id="raises"),
        pytest.param(12, id="not callable"),
    ],
)
def test_a_time_left_that_is_no_number_is_unknown(remaining):
    """A bot author's mock must not look like a Lambda that is about to end."""
    context = make_context(get_remaining_time_in_millis=remaining)

    assert read_runtime(context, {}).remaining_ms is None


@pytest.mark.parametrize("left_ms", [10_000, 1_000, 0, -5])
def test_the_time_left_is_asked_each_time(left_ms):
    """Any number counts, as late as it may be."""
    facts = read_runtime(make_context(get_remaining_time_in_millis=lambda: left_ms), {})

    assert facts.remaining_ms() == left_ms


def test_where_the_process_runs():
    """Lambda is AWS; ECS and AgentCore are AWS and no Lambda; a laptop is neither."""
    on_lambda = {"AWS_LAMBDA_FUNCTION_NAME": "vera"}
    on_ecs = {"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}

    assert (is_on_lambda(on_lambda), is_on_aws(on_lambda)) == (True, True)
    assert (is_on_lambda(on_ecs), is_on_aws(on_ecs)) == (False, True)
    assert (is_on_lambda({}), is_on_aws({})) == (False, False)
