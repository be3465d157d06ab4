"""Alarms and dashboard: real metrics, a runbook for each, in the order of the flow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from emitter.stats import METRICS as EMITTER_METRICS
from emitter.stats import NAMESPACE as EMITTER_NAMESPACE
from scripts.tf_local import ROOT
from subscription_transformer.metrics import METRICS as TRANSFORMER_METRICS
from subscription_transformer.metrics import NAMESPACE as TRANSFORMER_NAMESPACE
from tests.terraform.plan_file import resources

pytestmark = pytest.mark.terraform

DOMAIN = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit"
ELASTIC = {
    "url": "https://chatbot-audit.es.example.com",
    "secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf",
}
ZIP = "-var=transformer_zip_path=../../build/transformer-arm64.zip"
# Every destination and the archive, two at a time; all alarms that can be had.
ROOTS = {
    "splunk and archive": (
        "-var-file=terraform.tfvars.example",
        "-var=archive={}",
        "-var=canary_minutes=30",
    ),
    "opensearch and elastic": (
        ZIP,
        f"-var=opensearch={json.dumps({'domain_arn': DOMAIN})}",
        f"-var=elastic={json.dumps(ELASTIC)}",
        "-var=canary_minutes=10",
    ),
}
RUNBOOK = ROOT / "docs/runbook.md"

# What AWS emits, with the dimensions it emits it under, and where AWS says so; all
# pages read 2026-11.
_FIREHOSE_PAGE = "Data Firehose guide, Monitor with CloudWatch metrics"
_LOGS_PAGE = "CloudWatch Logs guide, Monitoring usage with CloudWatch metrics"
_LAMBDA_PAGE = "Lambda guide, Types of metrics for Lambda functions"
_S3_PAGE = "S3 guide, Amazon S3 CloudWatch request metrics"
_STREAM = {"DeliveryStreamName"}
_FILTER = {"LogGroupName", "DestinationType", "FilterName"}
_DELIVERIES = (
    *("DeliveryToSplunk", "DeliveryToAmazonOpenSearchService"),
    *("DeliveryToHttpEndpoint", "DeliveryToS3"),
)
AWS_METRICS = {
    **{
        ("AWS/Firehose", f"{delivery}.{figure}"): (_STREAM, _FIREHOSE_PAGE)
        for delivery in _DELIVERIES
        for figure in ("DataFreshness", "Success", "Records")
    },
    **{
        ("AWS/Firehose", name): (_STREAM, _FIREHOSE_PAGE)
        for name in (
            *("IncomingBytes", "IncomingPutRequests", "ThrottledRecords"),
            *("BytesPerSecondLimit", "PutRequestsPerSecondLimit"),
        )
    },
    **{
        ("AWS/Logs", name): (_FILTER, _LOGS_PAGE)
        for name in ("DeliveryErrors", "DeliveryThrottling", "ForwardedLogEvents")
    },
    ("AWS/Logs", "IncomingLogEvents"): ({"LogGroupName"}, _LOGS_PAGE),
    **{
        ("AWS/Lambda", name): ({"FunctionName"}, _LAMBDA_PAGE)
        for name in ("Errors", "Throttles", "Duration", "Invocations")
    },
    ("AWS/S3", "PutRequests"): ({"BucketName", "FilterId"}, _S3_PAGE),
}
OUR_METRICS = {
    **{(TRANSFORMER_NAMESPACE, name): {"Destination"} for name in TRANSFORMER_METRICS},
    **{(EMITTER_NAMESPACE, name): {"BotName"} for name in EMITTER_METRICS},
}
EMITTED = OUR_METRICS | {
    key: dimensions for key, (dimensions, _) in AWS_METRICS.items()
}
# Metrics Insights: a sum over all values of the named dimension.
QUERY = re.compile(r'SELECT SUM\((\w+)\) FROM SCHEMA\("([^"]+)", (\w+)\)')

each_root = pytest.mark.parametrize("options", ROOTS.values(), ids=ROOTS)


def alarms_of(plan):
    """Return alarms by name without the prefix."""
    found = resources(plan, "aws_cloudwatch_metric_alarm").values()
    return {item["alarm_name"].removeprefix("chatbot-audit-"): item for item in found}


def of_alarm(alarm):
    """Return namespace, name and dimensions of every metric that an alarm looks at."""
    if alarm["metric_name"]:
        key = (alarm["namespace"], alarm["metric_name"])
        return {key: set(alarm["dimensions"])}
    found = {}
    for query in alarm["metric_query"]:
        for metric in query["metric"]:
            key = (metric["namespace"], metric["metric_name"])
            found[key] = set(metric["dimensions"])
        if match := QUERY.fullmatch(query["expression"] or ""):
            name, namespace, dimension = match.groups()
            found[namespace, name] = {dimension}
    return found


def of_dashboard(plan):
    """Return the same for every metric on the dashboard, in its order."""
    (dashboard,) = resources(plan, "aws_cloudwatch_dashboard").values()
    found = {}
    for widget in json.loads(dashboard["dashboard_body"])["widgets"]:
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                name, space, dimension = QUERY.fullmatch(
                    metric[0]["expression"]
                ).groups()
                found[space, name] = {dimension}
            else:
                words = [word for word in metric if isinstance(word, str)]
                found[words[0], words[1]] = set(words[2::2])
    return found


@each_root
def test_every_alarms_metric_is_emitted(planned, options):
    """AWS or our code emits what an alarm looks at, under the same dimensions."""
    for name, alarm in alarms_of(planned("", *options)).items():
        found = of_alarm(alarm)

        assert found, name
        for key, dimensions in found.items():
            assert EMITTED.get(key) == dimensions, (name, key)


@each_root
def test_every_metric_of_the_dashboard_is_emitted(planned, options):
    """So is everything that the dashboard shows."""
    for key, dimensions in of_dashboard(planned("", *options)).items():
        assert EMITTED.get(key) == dimensions, key


@each_root
def test_the_dashboard_shows_what_alarms_look_at(planned, options):
    """Whoever is woken by an alarm finds its figure on the dashboard."""
    plan = planned("", *options)
    watched = {k for alarm in alarms_of(plan).values() for k in of_alarm(alarm)}

    assert watched <= set(of_dashboard(plan))


@each_root
def test_the_dashboard_follows_the_flow(planned, options):
    """Bots come first, then log group, stream, transformer, failures."""
    shown = list(of_dashboard(planned("", *options)))

    order = [namespace for namespace, _ in shown]
    first = [
        order.index(namespace)
        for namespace in (
            *(EMITTER_NAMESPACE, "AWS/Logs", "AWS/Firehose", "AWS/Lambda"),
            *(TRANSFORMER_NAMESPACE, "AWS/S3"),
        )
    ]

    assert first == sorted(first)


@each_root
def test_the_widgets_fit_the_grid(planned, options):
    """No widget leaves the 24 columns or lies on another."""
    (dashboard,) = resources(planned("", *options), "aws_cloudwatch_dashboard").values()

    cells = [
        (widget["x"] + x, widget["y"] + y)
        for widget in json.loads(dashboard["dashboard_body"])["widgets"]
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


WANTED = {
    "splunk and archive": {
        *("silence", "emitter-fallbacks", "emitter-failures", "canary-splunk"),
        *(
            f"{kind}-splunk"
            for kind in (
                *("transformer-errors", "transformer-throttles"),
                *("transformer-duration", "records-failed", "records-quarantined"),
                *("redaction-failures", "put-back", "put-back-throttled"),
                "failed-objects",
            )
        ),
        *(
            f"{kind}-{name}"
            for name in ("splunk", "archive")
            for kind in (
                *("freshness", "delivery", "stream-throttled", "stream-bytes"),
                *("stream-puts", "subscription-errors", "subscription-throttling"),
            )
        ),
    }
}


def test_all_alarms_are_there(planned):
    """Each part of the flow has its alarms; none is there that nobody thought of."""
    key = "splunk and archive"

    assert set(alarms_of(planned("", *ROOTS[key]))) == WANTED[key]


@each_root
def test_alarms_can_go_off(planned, options):
    """An alarm looks back a day at most, and silence counts as news where it is."""
    for name, alarm in alarms_of(planned("", *options)).items():
        is_absence = name.startswith(("silence", "canary"))

        period_s = alarm["period"] or 300
        assert period_s * alarm["evaluation_periods"] <= 86_400, name
        assert alarm["treat_missing_data"] == (
            "breaching" if is_absence else "notBreaching"
        )
        assert alarm["comparison_operator"] == (
            "LessThanThreshold"
            if is_absence or name.startswith("delivery")
            else "GreaterThanThreshold"
        ), name


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("transformer-duration-splunk", 48_000),
        ("freshness-splunk", 900),
        ("delivery-splunk", 1),
        ("stream-bytes-splunk", 80),
        ("records-quarantined-splunk", 0),
    ],
)
def test_thresholds_have_the_unit_of_their_metric(planned, name, threshold):
    """Durations are ms, freshness is seconds, success a share, quotas percent."""
    alarms = alarms_of(planned("", *ROOTS["splunk and archive"]))

    assert alarms[name]["threshold"] == threshold


def test_quotas_are_worked_out_from_the_streams_own(planned):
    """An alarm on a quota divides what came a second by what the stream allows."""
    alarm = alarms_of(planned("", *ROOTS["splunk and archive"]))["stream-bytes-splunk"]

    queries = {item["id"]: item for item in alarm["metric_query"]}

    assert queries["value"]["expression"] == "100 * used / PERIOD(used) / allowed"
    assert queries["used"]["metric"][0]["metric_name"] == "IncomingBytes"
    assert queries["used"]["metric"][0]["stat"] == "Sum"
    assert queries["allowed"]["metric"][0]["metric_name"] == "BytesPerSecondLimit"
    assert [k for k, item in queries.items() if item["return_data"]] == ["value"]


@each_root
def test_every_alarm_has_a_section_in_the_runbook(planned, options):
    """An alarm's description ends with a link to a heading that is there."""
    headings = {
        line.lstrip("# ").strip()
        for line in Path(RUNBOOK).read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }

    for name, alarm in alarms_of(planned("", *options)).items():
        assert len(alarm["alarm_description"]) <= 1_024
        link = alarm["alarm_description"].rpartition(" Runbook: ")[2]
        page, _, section = link.partition("#")

        assert page.endswith("runbook.md"), name
        assert section in headings, name


def test_alarms_are_sent_to_the_topics(planned):
    """Every alarm tells the given topics, when it goes off and when it ends."""
    topic = "arn:aws:sns:eu-west-1:123456789012:on-call"

    for alarm in alarms_of(planned("", *ROOTS["splunk and archive"])).values():
        assert (alarm["alarm_actions"], alarm["ok_actions"]) == ([topic], [topic])
