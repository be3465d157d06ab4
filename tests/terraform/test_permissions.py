"""What the roles may do is what is called, and nothing else."""

from __future__ import annotations

import gzip
import io
import json
from contextlib import redirect_stdout

import pytest

from emitter import AuditEmitter, EmitterSettings
from emitter.sinks.cloudwatch_logs import CloudWatchLogsSink
from scripts.tf_local import client
from subscription_transformer.put_back import PutBack, wrap
from tests.terraform.aws_calls import ACCOUNT_ID, REGION, Recorder
from tests.terraform.iam_policy import allowed_actions, is_allowed, without
from tests.terraform.plan_file import policies

pytestmark = pytest.mark.terraform

LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group"
FIREHOSE = f"arn:aws:firehose:{REGION}:{ACCOUNT_ID}:deliverystream"
GROUP = "/aws/ai-bots/audit-logs"
BUCKET = "arn:aws:s3:::chatbot-audit-failed-123456789012-eu-west-1"
PIPELINE = "module.chatbot_audit.module.audit_pipeline.aws_iam_role_policy"


def check(document, calls, context=()):
    """Return what is wrong: calls that are refused, actions that nobody calls."""
    refused = {
        f"refused {action} on {resource}"
        for action, resource in calls
        if not is_allowed(document, action, resource, context)
    }
    unused = {
        f"unused {action}"
        for action in allowed_actions(document) - {action for action, _ in calls}
    }
    return refused | unused


def assert_exact(document, calls, context=()):
    """Assert that the policy allows the calls, and needs every action for them."""
    assert check(document, calls, context) == set()
    for action in allowed_actions(document):
        assert check(without(document, action), calls, context), action
    more = {"Effect": "Allow", "Action": ["logs:DeleteLogStream"], "Resource": ["*"]}
    wider = document | {"Statement": [*document["Statement"], more]}
    assert check(wider, calls, context)


@pytest.fixture(scope="module")
def bot_calls(aws_url):
    """What a bot calls: its first record, which finds no stream, and its second."""
    logs = client("logs", aws_url)
    logs.create_log_group(logGroupName=GROUP)
    recorder = Recorder(logs)
    audit = AuditEmitter(
        "VeraResearch",
        settings=EmitterSettings(log_group=GROUP),
        sinks=[CloudWatchLogsSink(client=logs)],
    )
    with redirect_stdout(io.StringIO()):
        for text in ("first", "second"):
            audit.write(user_id="mira@example.com", user_query=text)
    assert audit.stats.written == 2
    return recorder.calls


@pytest.fixture(scope="module")
def put_back_calls(aws_url):
    """What the transformer calls when it puts records back into its stream."""
    firehose = client("firehose", aws_url)
    s3 = client("s3", aws_url)
    s3.create_bucket(
        Bucket="put-back", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    name = "chatbot-audit-splunk"
    firehose.create_delivery_stream(
        DeliveryStreamName=name,
        S3DestinationConfiguration={
            "RoleARN": f"arn:aws:iam::{ACCOUNT_ID}:role/any",
            "BucketARN": "arn:aws:s3:::put-back",
        },
    )
    recorder = Recorder(firehose)
    data = wrap("document", b"{}", 1)
    assert gzip.decompress(data)

    assert PutBack(name, lambda: firehose).put([data], lambda: 5.0) == [True]
    return recorder.calls


def transformer_calls(destination, put_back_calls):
    """Return the calls of one transformer: put-backs, and its log by Lambda.

    Lambda writes a function's log with the function's role: CreateLogStream and
    PutLogEvents on the group of its logging options ("Defining Lambda function
    permissions with an execution role", read 2026-11).
    """
    stream = "2026/11/25/[$LATEST]0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    group = f"/aws/lambda/chatbot-audit-transformer-{destination}"
    log_stream = f"{LOGS}:{group}:log-stream:{stream}"
    puts = {
        (action, f"{FIREHOSE}/chatbot-audit-{destination}")
        for action, _ in put_back_calls
    }
    return puts | {
        ("logs:CreateLogStream", log_stream),
        ("logs:PutLogEvents", log_stream),
    }


DESTINATIONS = [("splunk", "splunk"), ("opensearch", "opensearch"), ("both", "elastic")]
each_destination = pytest.mark.parametrize(("example", "destination"), DESTINATIONS)


@each_destination
def test_transformer_can_do_what_it_does(planned, put_back_calls, example, destination):
    """A transformer writes its log and puts back: no action more, none less."""
    documents = policies(planned(f"examples/{example}"))
    document = documents[f'{PIPELINE}.transformer["{destination}"]']

    calls = transformer_calls(destination, put_back_calls)

    assert_exact(document, calls)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("firehose:PutRecordBatch", f"{FIREHOSE}/chatbot-audit-elastic"),
        ("firehose:PutRecordBatch", f"{FIREHOSE}/chatbot-audit-splunk2"),
        ("firehose:PutRecord", f"{FIREHOSE}/chatbot-audit-splunk"),
        ("firehose:DeleteDeliveryStream", f"{FIREHOSE}/chatbot-audit-splunk"),
        ("logs:PutLogEvents", f"{LOGS}:{GROUP}:log-stream:VeraResearch/x"),
        ("logs:CreateLogGroup", f"{LOGS}:/aws/lambda/chatbot-audit-transformer-splunk"),
        ("logs:GetLogEvents", f"{LOGS}:{GROUP}:log-stream:VeraResearch/x"),
        ("s3:GetObject", f"{BUCKET}/splunk/processing-failed/x"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:::secret:any"),
    ],
)
def test_transformer_can_do_nothing_else(planned, action, resource):
    """Other streams, other groups, the failures and the token are out of reach."""
    documents = policies(planned("examples/both"))

    document = documents[f'{PIPELINE}.transformer["splunk"]']

    assert not is_allowed(document, action, resource)


def test_a_bot_can_do_what_it_does(planned, bot_calls):
    """A bot creates its stream and puts: no action more, none less."""
    address = 'module.chatbot_audit.module.bot_access["VeraResearch"]'
    documents = policies(planned("examples/splunk"))

    document = documents[f"{address}.aws_iam_role_policy.this[0]"]

    assert {action for action, _ in bot_calls} == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert_exact(document, bot_calls)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("logs:PutLogEvents", f"{LOGS}:{GROUP}:log-stream:HRBot/x"),
        ("logs:CreateLogStream", f"{LOGS}:{GROUP}:log-stream:HRBot/x"),
        ("logs:PutLogEvents", f"{LOGS}:{GROUP}:log-stream:VeraResearch2/x"),
        ("logs:PutLogEvents", f"{LOGS}:{GROUP}:log-stream:VeraResearch"),
        ("logs:PutLogEvents", f"{LOGS}:{GROUP}2:log-stream:VeraResearch/x"),
        ("logs:GetLogEvents", f"{LOGS}:{GROUP}:log-stream:VeraResearch/x"),
        ("logs:DeleteLogStream", f"{LOGS}:{GROUP}:log-stream:VeraResearch/x"),
        ("logs:DescribeLogStreams", f"{LOGS}:{GROUP}"),
        ("logs:CreateLogGroup", f"{LOGS}:{GROUP}"),
        ("firehose:PutRecordBatch", f"{FIREHOSE}/chatbot-audit-splunk"),
    ],
)
def test_a_bot_can_do_nothing_else(planned, action, resource):
    """No bot writes as another, reads what was written, or takes it away."""
    address = 'module.chatbot_audit.module.bot_access["VeraResearch"]'
    documents = policies(planned("examples/splunk"))

    document = documents[f"{address}.aws_iam_role_policy.this[0]"]

    assert not is_allowed(document, action, resource)


def test_a_shared_role_is_bounded_by_its_tag(planned, bot_calls):
    """A role of several bots writes the streams that its session's tag names."""
    # A value on the command line is read as a template: the first $ escapes.
    name = "$${aws:PrincipalTag/bot_name}"
    bots = json.dumps({name: {"role_name": "bots"}})
    plan = planned("", "-var-file=terraform.tfvars.example", f"-var=bots={bots}")
    (document,) = [d for a, d in policies(plan).items() if "bot_access" in a]
    mine = {"aws:PrincipalTag/bot_name": "VeraResearch"}

    assert_exact(document, bot_calls, mine)

    for context in ({"aws:PrincipalTag/bot_name": "HRBot"}, {}):
        assert not any(is_allowed(document, *call, context) for call in bot_calls)
    assert len(json.dumps(document)) < 6_144


# What AWS's own services call with our roles. Firehose: "Controlling access with Amazon
# Data Firehose"; CloudWatch Logs: "Subscription filters with Amazon Data Firehose"
# (both read 2026-11).
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:chatbot-audit-transformer"


def delivery_calls(destination):
    """Return what Firehose calls for any destination."""
    group = f"{LOGS}:/aws/kinesisfirehose/chatbot-audit-{destination}"
    failed = f"{BUCKET}/{destination}/processing-failed/2026/11/25/12/x"
    objects = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
    buckets = (
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
    )
    function = f"{FUNCTION}-{destination}:live"
    return {
        *((action, failed) for action in objects),
        *((action, BUCKET) for action in buckets),
        ("lambda:InvokeFunction", function),
        ("lambda:GetFunctionConfiguration", function),
        ("logs:PutLogEvents", f"{group}:log-stream:DestinationDelivery"),
        ("logs:PutLogEvents", f"{group}:log-stream:BackupDelivery"),
    }


@pytest.mark.parametrize(
    ("example", "destination", "secret"),
    [
        ("splunk", "splunk", f"{SECRET}-hec-AbCdEf"),
        ("both", "elastic", f"{SECRET}-elastic-AbCdEf"),
    ],
)
def test_firehose_can_deliver_with_a_token(planned, example, destination, secret):
    """Firehose calls the function's alias, keeps failures and reads its token."""
    documents = policies(planned(f"examples/{example}"))
    document = documents[f'{PIPELINE}.firehose["{destination}"]']

    calls = delivery_calls(destination) | {("secretsmanager:GetSecretValue", secret)}

    assert_exact(document, calls)
    assert not is_allowed(
        document, "lambda:InvokeFunction", f"{FUNCTION}-{destination}"
    )
    assert not is_allowed(document, "secretsmanager:GetSecretValue", f"{SECRET}-x")


def test_firehose_can_deliver_to_opensearch(planned):
    """Firehose writes documents and reads what it needs of the domain, in its VPC."""
    domain = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit"
    settings = {"domain_arn": domain, "vpc": {"subnet_ids": ["subnet-1"]}}
    settings["vpc"]["security_group_ids"] = ["sg-1"]
    plan = planned(
        "",
        "-var=transformer_zip_path=../../build/transformer-arm64.zip",
        f"-var=opensearch={json.dumps(settings)}",
    )
    address = 'module.audit_pipeline.aws_iam_role_policy.firehose["opensearch"]'
    document = policies(plan)[address]
    interfaces = (
        *("CreateNetworkInterface", "CreateNetworkInterfacePermission"),
        *("DeleteNetworkInterface", "DescribeNetworkInterfaces"),
        *("DescribeSecurityGroups", "DescribeSubnets"),
        *("DescribeVpcAttribute", "DescribeVpcs"),
    )
    reads = (
        *("_all/_settings", "_cluster/stats", "_nodes", "_nodes/stats", "_stats"),
        *("_nodes/a1/stats", "chatbot-audit-ingest/_stats"),
        "chatbot-audit-ingest/_mapping/_doc",
    )

    calls = delivery_calls("opensearch") | {
        *((f"es:{name}", domain) for name in ("DescribeDomain", "DescribeDomains")),
        ("es:DescribeDomainConfig", domain),
        ("es:ESHttpPost", f"{domain}/_bulk"),
        ("es:ESHttpPut", f"{domain}/chatbot-audit-ingest"),
        *(("es:ESHttpGet", f"{domain}/{path}") for path in reads),
        *((f"ec2:{name}", "*") for name in interfaces),
    }

    assert_exact(document, calls)
    assert not is_allowed(document, "es:ESHttpGet", f"{domain}/chatbot-audit-*/_search")
    assert not is_allowed(document, "es:ESHttpDelete", f"{domain}/chatbot-audit-ingest")


def test_cloudwatch_can_put_envelopes(planned):
    """CloudWatch Logs puts into the streams that are there, and does nothing else."""
    documents = policies(planned("examples/both"))

    calls = {
        ("firehose:PutRecord", f"{FIREHOSE}/chatbot-audit-{name}")
        for name in ("splunk", "elastic")
    }

    assert_exact(documents[f"{PIPELINE}.subscription"], calls)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"kms:ViaService": "s3.eu-west-1.amazonaws.com"}, True),
        ({"kms:ViaService": "logs.eu-west-1.amazonaws.com"}, False),
        ({}, False),
    ],
)
def test_a_key_is_used_through_s3_alone(planned, context, expected):
    """With a key of the user's, Firehose uses it for the bucket's objects only."""
    key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    plan = planned("", "-var-file=terraform.tfvars.example", f"-var=kms_key_arn={key}")
    address = 'module.audit_pipeline.aws_iam_role_policy.firehose["splunk"]'

    document = policies(plan)[address]

    assert is_allowed(document, "kms:GenerateDataKey", key, context) is expected
    assert is_allowed(document, "kms:Decrypt", key, context) is expected


def test_the_evaluator_knows_what_it_judges():
    """An unknown operator or element is an error, a Deny wins, variables bind."""
    allow = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:${aws:x/y}/*"}
    deny = {"Effect": "Deny", "Action": ["s3:GetObject"], "Resource": ["*"]}

    assert is_allowed(
        {"Statement": [allow]}, "s3:GetObject", "arn:a/b", {"aws:x/y": "a"}
    )
    assert not is_allowed({"Statement": [allow]}, "s3:GetObject", "arn:a/b")
    assert not is_allowed(
        {"Statement": [allow, deny]}, "s3:GetObject", "arn:a/b", {"aws:x/y": "a"}
    )
    with pytest.raises(ValueError, match="NotAction"):
        is_allowed({"Statement": [allow | {"NotAction": "x"}]}, "s3:GetObject", "x")
    strange = allow | {"Resource": "*", "Condition": {"NumericLessThan": {"a": "1"}}}
    with pytest.raises(ValueError, match="NumericLessThan"):
        is_allowed({"Statement": [strange]}, "s3:GetObject", "x")
