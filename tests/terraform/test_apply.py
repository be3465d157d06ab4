"""The Splunk example, really applied: real provider, AWS played by moto."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from scripts.tf_apply_local import EXAMPLE, OPTIONS
from scripts.tf_local import ROOT, SECRET_NAME, ZIP, Workspace, client, moto_server

pytestmark = pytest.mark.terraform

TOKEN = "3f1c-canary-of-a-token"
GROUP = "/aws/ai-bots/audit-logs"
STREAM = "chatbot-audit-splunk"
FUNCTION = "chatbot-audit-transformer-splunk"
BUCKET = "chatbot-audit-failed-123456789012-eu-west-1"
ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


class Applied:
    """What was applied: clients to read it back, the state, Terraform."""

    def __init__(self, workspace, url):
        self._url = url
        self.workspace = workspace
        self.outputs = json.loads(workspace.run(EXAMPLE, "output", "-json"))
        self.state_path = workspace.path(EXAMPLE) / "terraform.tfstate"

    def client(self, service):
        return client(service, self._url)

    def only(self, service, call, key, **arguments):
        """Return the one item of a list that a call answers."""
        (item,) = getattr(self.client(service), call)(**arguments)[key]
        return item


@pytest.fixture(scope="module")
def applied(tools, tmp_path_factory):
    """The example, applied to an empty account that has the secret only."""
    folder = tmp_path_factory.mktemp("applied")
    with moto_server(folder / "moto.log") as url:
        client("secretsmanager", url).create_secret(
            Name=SECRET_NAME, SecretString=json.dumps({"hec_token": TOKEN})
        )
        workspace = Workspace(tools, folder / "work", url)
        workspace.prepare(EXAMPLE)
        workspace.run(EXAMPLE, "apply", "-auto-approve", *OPTIONS)
        yield Applied(workspace, url)


def test_the_stream_delivers_to_splunk(applied):
    """The stream that was made has the endpoint, the type, the times and the backup."""
    stream = applied.client("firehose").describe_delivery_stream(
        DeliveryStreamName=STREAM
    )["DeliveryStreamDescription"]

    (destination,) = stream["Destinations"]
    splunk = destination["SplunkDestinationDescription"]

    assert stream["DeliveryStreamStatus"] == "ACTIVE"
    assert splunk["HECEndpoint"] == "https://hec.example.com:8088"
    assert splunk["HECEndpointType"] == "Event"
    assert splunk["HECAcknowledgmentTimeoutInSeconds"] == 300
    assert splunk["RetryOptions"] == {"DurationInSeconds": 3600}
    assert splunk["S3BackupMode"] == "FailedEventsOnly"
    assert splunk["S3DestinationDescription"]["BucketARN"] == f"arn:aws:s3:::{BUCKET}"
    assert not splunk.get("HECToken")


def test_the_processor_is_the_functions_alias(applied):
    """Firehose calls the published version through its alias, in small batches."""
    stream = applied.client("firehose").describe_delivery_stream(
        DeliveryStreamName=STREAM
    )["DeliveryStreamDescription"]
    splunk = stream["Destinations"][0]["SplunkDestinationDescription"]

    (processor,) = splunk["ProcessingConfiguration"]["Processors"]
    parameters = {
        item["ParameterName"]: item["ParameterValue"]
        for item in processor["Parameters"]
    }

    assert splunk["ProcessingConfiguration"]["Enabled"] is True
    assert parameters == {
        "LambdaArn": ARN.format("lambda", f"function:{FUNCTION}:live"),
        "BufferSizeInMBs": "0.5",
        "BufferIntervalInSeconds": "30",
        "NumberOfRetries": "3",  # the service's default, which is not set
    }


def test_the_function_is_the_zip(applied):
    """The alias leads to a published version with the code of the built zip."""
    functions = applied.client("lambda")
    digest = hashlib.sha256((ROOT / ZIP).read_bytes()).digest()

    alias = functions.get_alias(FunctionName=FUNCTION, Name="live")
    found = functions.get_function_configuration(FunctionName=FUNCTION)

    assert alias["FunctionVersion"] == "1"
    assert found["CodeSha256"] == base64.b64encode(digest).decode()
    assert found["Handler"] == "subscription_transformer.handler.lambda_handler"
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
    assert found["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{FUNCTION}"


def test_the_log_group_is_subscribed(applied):
    """The shared log group has its days, and one filter that takes all lines."""
    group = applied.only(
        "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=GROUP
    )
    found = applied.only(
        "logs",
        "describe_subscription_filters",
        "subscriptionFilters",
        logGroupName=GROUP,
    )

    assert group["retentionInDays"] == 400
    assert found["filterName"] == STREAM
    assert found["filterPattern"] == ""
    assert found["destinationArn"] == ARN.format("firehose", f"deliverystream/{STREAM}")
    assert (
        found["roleArn"] == "arn:aws:iam::123456789012:role/chatbot-audit-subscription"
    )


def test_the_bots_fallback_lines_are_subscribed(applied):
    """The bot's own log group has a filter for the marker that vouches for the bot."""
    found = applied.only(
        "logs",
        "describe_subscription_filters",
        "subscriptionFilters",
        logGroupName="/aws/lambda/VeraResearch",
    )

    assert found["filterName"] == "chatbot-audit-fallback-VeraResearch"
    assert found["filterPattern"] == "BOT_AUDIT_FALLBACK"
    assert found["destinationArn"] == ARN.format("firehose", f"deliverystream/{STREAM}")


@pytest.mark.parametrize(
    ("role", "policy", "actions"),
    [
        (
            "chatbot-audit-transformer-splunk",
            "transform",
            ["logs:CreateLogStream", "logs:PutLogEvents", "firehose:PutRecordBatch"],
        ),
        ("chatbot-audit-subscription", "put-envelopes", ["firehose:PutRecord"]),
        (
            "VeraResearch-execution",
            "write-audit-records-VeraResearch",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
        ),
        (
            "HRBot-execution",
            "write-audit-records-HRBot",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
        ),
    ],
)
def test_roles_have_their_policies(applied, role, policy, actions):
    """Each role has its one policy, with exactly these actions."""
    roles = applied.client("iam")

    names = roles.list_role_policies(RoleName=role)["PolicyNames"]
    found = roles.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]

    assert names == [policy]
    assert [a for item in found["Statement"] for a in item["Action"]] == actions


def test_the_failure_bucket_is_shut(applied):
    """The bucket that was made is private, versioned and encrypted."""
    bucket = applied.client("s3")

    block = bucket.get_public_access_block(Bucket=BUCKET)
    rules = bucket.get_bucket_encryption(Bucket=BUCKET)

    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert rules["ServerSideEncryptionConfiguration"]["Rules"]


def test_alarms_and_dashboard_are_there(applied):
    """Every alarm that the outputs name was made and tells the topic."""
    alarms = applied.client("cloudwatch").describe_alarms()["MetricAlarms"]

    names = sorted(alarm["AlarmName"] for alarm in alarms)

    assert names == applied.outputs["alarm_names"]["value"]
    assert {tuple(alarm["AlarmActions"]) for alarm in alarms} == {
        (ARN.format("sns", "chatbot-audit-alarms"),)
    }
    assert applied.client("cloudwatch").get_dashboard(
        DashboardName="chatbot-audit-pipeline"
    )


def test_outputs_say_where_things_are(applied):
    """The outputs are the names that were made, and Firehose's addresses."""
    found = {name: item["value"] for name, item in applied.outputs.items()}

    assert found["log_group_name"] == GROUP
    assert found["delivery_stream_names"] == {"splunk": STREAM}
    assert found["failure_bucket_name"] == BUCKET
    assert found["firehose_cidrs"] == [
        "34.241.197.32/27",
        "34.241.197.64/27",
        "34.241.197.96/27",
    ]


def test_the_token_is_nowhere(applied):
    """Neither state nor outputs nor any file of the work folder holds the token."""
    folder = applied.workspace.path(EXAMPLE)

    files = [
        p for p in folder.rglob("*") if p.is_file() and ".terraform/" not in str(p)
    ]

    assert applied.state_path in files
    assert not [p for p in files if TOKEN.encode() in p.read_bytes()]


def test_a_second_plan_is_empty(applied):
    """What was applied is what is described: nothing is to be changed."""
    done = applied.workspace.try_run(EXAMPLE, "plan", "-detailed-exitcode", *OPTIONS)

    assert done.returncode == 0, done.stdout


def test_destroys_all_of_it(applied):
    """Destroying leaves no stream, function, group, bucket, alarm or role."""
    applied.workspace.run(EXAMPLE, "destroy", "-auto-approve", *OPTIONS)

    assert json.loads(applied.state_path.read_text())["resources"] == []
    assert applied.client("logs").describe_log_groups()["logGroups"] == []
    assert applied.client("lambda").list_functions()["Functions"] == []
    assert applied.client("s3").list_buckets()["Buckets"] == []
    assert applied.client("iam").list_roles()["Roles"] == []
    assert applied.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert (
        applied.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
    )
