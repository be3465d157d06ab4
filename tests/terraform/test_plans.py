"""What the examples plan, read from the plan file."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from scripts.tf_local import ROOT, ZIP
from subscription_transformer.settings import TransformerSettings
from tests.terraform.plan_file import (
    EXAMPLES,
    one,
    policies,
    processor,
    resources,
    settings_of_checks,
    statements,
)

pytestmark = pytest.mark.terraform

LOGS = "arn:aws:logs:eu-west-1"
STREAM = "aws_kinesis_firehose_delivery_stream"
# The destinations of each example, and the block that configures each.
DESTINATIONS = {
    "minimal": {"splunk"},
    "splunk": {"splunk"},
    "opensearch": {"opensearch"},
    "both": {"splunk", "elastic"},
    "cross_account": {"splunk"},
}
BLOCKS = {
    "splunk": "splunk_configuration",
    "opensearch": "opensearch_configuration",
    "elastic": "http_endpoint_configuration",
}
STREAMS = [(e, d) for e in EXAMPLES for d in sorted(DESTINATIONS[e])]
each_example = pytest.mark.parametrize("example", EXAMPLES)
each_stream = pytest.mark.parametrize(("example", "destination"), STREAMS)


def block_of(plan, destination):
    (block,) = one(plan, STREAM, destination)[BLOCKS[destination]]
    return block


@each_example
def test_every_example_can_be_planned(planned, example):
    """From nothing, an example makes things and changes or destroys none."""
    plan = planned(f"examples/{example}")

    actions = {
        action
        for item in plan["resource_changes"]
        for action in item["change"]["actions"]
    }

    assert actions <= {"create", "read", "no-op"}
    assert resources(plan, STREAM)
    assert "fail" not in settings_of_checks(plan).values()


@each_example
def test_each_destination_has_stream_function_and_filter(planned, example):
    """A destination has a stream, a function, a filter and a failure metric."""
    plan = planned(f"examples/{example}")
    names = DESTINATIONS[example]

    filters = resources(plan, "aws_cloudwatch_log_subscription_filter", "this")

    assert {v["name"] for v in resources(plan, STREAM).values()} == {
        f"chatbot-audit-{name}" for name in names
    }
    assert {
        v["function_name"] for v in resources(plan, "aws_lambda_function").values()
    } == {f"chatbot-audit-transformer-{name}" for name in names}
    assert {f"chatbot-audit-{name}" for name in names} <= {
        v["name"] for v in filters.values()
    }
    assert {
        v["filter"][0]["prefix"]
        for v in resources(plan, "aws_s3_bucket_metric").values()
    } == {f"{name}/" for name in names}


@each_stream
def test_processor_values_are_no_defaults(planned, example, destination):
    """Parameters are strings and no defaults, which would show in every plan."""
    block = block_of(planned(f"examples/{example}"), destination)

    found = processor(block)

    assert found == {
        "BufferSizeInMBs": "0.5",
        "BufferIntervalInSeconds": "30",
        "LambdaArn": None,
    }


@each_stream
def test_failures_are_kept_under_a_prefix_of_their_own(planned, example, destination):
    """Only failures go to S3, gzip, filed by kind and hour under the destination."""
    block = block_of(planned(f"examples/{example}"), destination)

    (bucket,) = block["s3_configuration"]

    assert block["s3_backup_mode"].startswith("Failed")
    assert bucket["error_output_prefix"] == (
        f"{destination}/!{{firehose:error-output-type}}/!{{timestamp:yyyy/MM/dd/HH}}/"
    )
    assert bucket["compression_format"] == "GZIP"


@each_stream
def test_streams_say_why_they_fail(planned, example, destination):
    """Errors of delivery and of backup are logged, to streams that are made first."""
    plan = planned(f"examples/{example}")
    block = block_of(plan, destination)
    group = f"/aws/kinesisfirehose/chatbot-audit-{destination}"

    options = [
        *block["cloudwatch_logging_options"],
        *block["s3_configuration"][0]["cloudwatch_logging_options"],
    ]
    made = {
        (v["log_group_name"], v["name"])
        for v in resources(plan, "aws_cloudwatch_log_stream").values()
    }

    assert [
        (o["enabled"], o["log_group_name"], o["log_stream_name"]) for o in options
    ] == [
        (True, group, "DestinationDelivery"),
        (True, group, "BackupDelivery"),
    ]
    assert {(group, "DestinationDelivery"), (group, "BackupDelivery")} <= made


@each_stream
def test_streams_are_encrypted(planned, example, destination):
    """A stream is encrypted, with a key of the user's where there is one."""
    stream = one(planned(f"examples/{example}"), STREAM, destination)

    (encryption,) = stream["server_side_encryption"]

    assert encryption["enabled"] is True
    assert encryption["key_type"] == (
        "CUSTOMER_MANAGED_CMK" if example == "opensearch" else "AWS_OWNED_CMK"
    )


def test_splunk_gets_events_and_acknowledges(planned):
    """Splunk's stream speaks the event endpoint, waits for acks and retries."""
    block = block_of(planned("examples/splunk"), "splunk")

    assert block["hec_endpoint_type"] == "Event"
    assert 180 <= block["hec_acknowledgment_timeout"] <= 600
    assert 0 < block["retry_duration"] <= 7200
    assert 1 <= block["buffering_size"] <= 5
    assert 0 <= block["buffering_interval"] <= 60


def test_opensearch_gets_a_name_that_never_rotates(planned):
    """The ingest pipeline routes; ids are its; failed documents are kept."""
    block = block_of(planned("examples/opensearch"), "opensearch")

    assert block["index_name"] == "chatbot-audit-ingest"
    assert block["index_rotation_period"] == "NoRotation"
    assert block["type_name"] in ("", None)
    assert block["s3_backup_mode"] == "FailedDocumentsOnly"
    assert (
        block["document_id_options"][0]["default_document_id_format"]
        == "NO_DOCUMENT_ID"
    )
    assert block["vpc_config"][0]["security_group_ids"] == ["sg-0a1b2c3d4e5f60718"]
    assert block["buffering_size"] < 10


def test_elastic_gets_what_its_endpoint_asks_for(planned):
    """Elastic's endpoint gets gzip, 1 MiB at a time, and the data stream's name."""
    block = block_of(planned("examples/both"), "elastic")

    (request,) = block["request_configuration"]

    assert block["url"].startswith("https://")
    assert block["buffering_size"] == 1
    assert block["s3_backup_mode"] == "FailedDataOnly"
    assert request["content_encoding"] == "GZIP"
    assert request["common_attributes"] == [
        {"name": "es_datastream_name", "value": "logs-chatbot.audit-default"}
    ]


@pytest.mark.parametrize(
    ("example", "destination"),
    [("splunk", "splunk"), ("both", "splunk"), ("both", "elastic")],
)
def test_tokens_are_read_by_firehose_alone(planned, example, destination):
    """A plan names the secret and holds no token, whatever the destination."""
    block = block_of(planned(f"examples/{example}"), destination)

    (secret,) = block["secrets_manager_configuration"]

    assert secret["enabled"] is True
    assert secret["secret_arn"].startswith("arn:aws:secretsmanager:")
    assert not block.get("hec_token")
    assert not block.get("access_key")


@each_example
def test_no_variable_and_no_resource_holds_a_secret(planned, example):
    """Nobody is asked for a token, and no secret is made or read."""
    plan = planned(f"examples/{example}")

    kinds = {item["type"] for item in plan["resource_changes"]}
    names = set(plan["configuration"]["root_module"].get("variables", {}))

    assert not {kind for kind in kinds if "secret" in kind}
    assert not {n for n in names if "token" in n or "password" in n or "secret" in n}


@each_example
def test_the_function_is_the_zip_that_was_built(planned, example):
    """Code, handler and CPU are those of the zip; the settings are ones it accepts."""
    digest = base64.b64encode(
        hashlib.sha256((ROOT / ZIP).read_bytes()).digest()
    ).decode()

    for function in resources(
        planned(f"examples/{example}"), "aws_lambda_function"
    ).values():
        environment = function["environment"][0]["variables"]

        assert function["source_code_hash"] == digest
        assert function["handler"] == "subscription_transformer.handler.lambda_handler"
        assert (function["runtime"], function["architectures"]) == (
            "python3.13",
            ["arm64"],
        )
        assert (function["memory_size"], function["timeout"]) == (512, 60)
        assert function["publish"] is True
        assert function["logging_config"][0]["log_format"] == "JSON"
        assert function["logging_config"][0]["application_log_level"] == "INFO"
        assert {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"} <= set(environment)
        TransformerSettings.from_env(environment)
        assert function["function_name"].endswith(environment["AUDIT_DESTINATION"])


def test_splunks_indexes_reach_the_function(planned):
    """The two indexes of the example are in the function's environment."""
    function = one(planned("examples/splunk"), "aws_lambda_function")

    settings = TransformerSettings.from_env(function["environment"][0]["variables"])

    assert settings.splunk_index == "chatbot_audit"
    assert settings.splunk_content_index == "chatbot_audit_content"


@each_example
def test_policies_are_narrow(planned, example):
    """No action holds a star; every service that is trusted is bound to the account."""
    found = policies(planned(f"examples/{example}"))

    for address, document in found.items():
        for item in statements(document):
            assert not [a for a in item["Action"] if "*" in a], address
            is_trust = "sts:AssumeRole" in item["Action"]
            is_pipeline = ".audit_pipeline." in address or "_account." in address
            if is_trust and is_pipeline:
                keys = json.dumps(item["Condition"])
                assert "aws:SourceAccount" in keys or "aws:SourceArn" in keys, address


@each_example
def test_whole_resources_only_where_aws_knows_no_other(planned, example):
    """A star alone is a resource for network interfaces and in a key's policy only."""
    for address, document in policies(planned(f"examples/{example}")).items():
        for item in statements(document):
            if "*" in item["Resource"] and item["Effect"] == "Allow":
                assert item["Sid"] in {
                    "NetworkInterfaces",
                    "Administration",
                    "LogGroup",
                }, address


@each_example
def test_buckets_are_shut(planned, example):
    """Buckets are private, versioned, encrypted, owned, and refuse plain HTTP."""
    plan = planned(f"examples/{example}")
    (deny,) = [
        item
        for address, document in policies(plan).items()
        if "aws_s3_bucket_policy" in address
        for item in statements(document)
    ]

    block = one(plan, "aws_s3_bucket_public_access_block")

    assert [
        block[key]
        for key in sorted(block)
        if key.startswith(("block_", "ignore_", "restrict_"))
    ] == [True] * 4
    assert (
        one(plan, "aws_s3_bucket_versioning")["versioning_configuration"][0]["status"]
        == "Enabled"
    )
    assert (
        one(plan, "aws_s3_bucket_ownership_controls")["rule"][0]["object_ownership"]
        == "BucketOwnerEnforced"
    )
    assert resources(plan, "aws_s3_bucket_server_side_encryption_configuration")
    assert (deny["Effect"], deny["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_object_lock_is_as_asked_for(planned):
    """With a lock mode, the failure bucket is made with Object Lock and its days."""
    plan = planned("examples/both")

    lock = one(plan, "aws_s3_bucket_object_lock_configuration")

    assert one(plan, "aws_s3_bucket")["object_lock_enabled"] is True
    assert lock["rule"][0]["default_retention"][0]["mode"] == "GOVERNANCE"
    assert lock["rule"][0]["default_retention"][0]["days"] == 30


def test_log_group_is_kept(planned):
    """The shared log group is protected unless told otherwise, and keeps 400 days."""
    protected = planned("examples/splunk")
    free = planned("examples/splunk", "-var=protect_log_group=false")

    group = one(protected, "aws_cloudwatch_log_group", "protected")

    assert (group["name"], group["retention_in_days"]) == (
        "/aws/ai-bots/audit-logs",
        400,
    )
    assert group["log_group_class"] == "STANDARD"
    assert not resources(protected, "aws_cloudwatch_log_group", "unprotected")
    assert not resources(free, "aws_cloudwatch_log_group", "protected")
    assert one(free, "aws_cloudwatch_log_group", "unprotected")["name"] == group["name"]


@each_example
def test_filters_wait_for_role_policy_and_streams(planned, example):
    """CloudWatch's test message finds the right to put and an active stream."""
    plan = planned(f"examples/{example}")
    call = plan["configuration"]["root_module"]["module_calls"]["chatbot_audit"]
    module = call["module"]["module_calls"]["audit_pipeline"]["module"]

    waits = {
        item["address"]: set(item.get("depends_on", []))
        for item in module["resources"]
        if item["type"] == "aws_cloudwatch_log_subscription_filter"
    }

    assert waits["aws_cloudwatch_log_subscription_filter.this"] == {
        "aws_iam_role_policy.subscription",
        *(f"{STREAM}.{name}" for name in BLOCKS),
    }
    assert waits["aws_cloudwatch_log_subscription_filter.archive"] == {
        "aws_iam_role_policy.subscription",
        f"{STREAM}.archive",
    }


def test_the_shipped_variables_can_be_planned(planned):
    """`terraform.tfvars.example` plans in the root as it is."""
    plan = planned("", "-var-file=terraform.tfvars.example")

    assert {v["name"] for v in resources(plan, STREAM).values()} == {
        "chatbot-audit-splunk"
    }


def test_other_accounts_send_without_a_role(planned):
    """Where accounts are named one by one, their filters need no role."""
    plan = planned("examples/cross_account")
    address = "aws_cloudwatch_log_destination_policy"

    (access,) = [d for a, d in policies(plan).items() if address in a] or [None]

    assert "module.sender_account.aws_iam_role.this[0]" not in resources(
        plan, "aws_iam_role"
    )
    assert access["Statement"] == [
        {
            "Sid": "Subscribe",
            "Effect": "Allow",
            "Principal": {"AWS": ["210987654321"]},
            "Action": "logs:PutSubscriptionFilter",
            "Resource": f"{LOGS}:123456789012:destination:chatbot-audit-splunk",
        }
    ]


def test_an_organizations_accounts_send_with_a_role(planned):
    """Where an organization is named, the sender shows a role for its groups."""
    plan = planned("examples/cross_account", "-var=organization_id=o-a1b2c3d4e5")
    documents = policies(plan)

    (access,) = documents[
        "module.central_account.aws_cloudwatch_log_destination_policy.this"
    ]["Statement"]
    (sends,) = documents["module.sender_account.aws_iam_role_policy.this[0]"][
        "Statement"
    ]
    (trust,) = documents["module.central_account.aws_iam_role.this"]["Statement"]

    assert access["Principal"] == {"AWS": ["*"]}
    assert access["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}
    }
    assert trust["Condition"] == {"StringLike": {"aws:SourceOrgID": ["o-a1b2c3d4e5"]}}
    assert sends["Action"] == ["logs:PutLogEvents"]
    assert sends["Resource"] == [
        f"arn:aws:logs:eu-west-1:210987654321:log-group:{name}:*"
        for name in ("/aws/ai-bots/audit-logs", "/aws/lambda/VeraResearch")
    ]


def test_other_accounts_bots_write_in_their_own(planned):
    """A bot of another account is bounded to its stream of its own account's group."""
    documents = policies(planned("examples/cross_account"))

    (item,) = documents["module.bot_access.aws_iam_role_policy.this[0]"]["Statement"]

    assert item["Resource"] == [
        "arn:aws:logs:eu-west-1:210987654321:log-group:/aws/ai-bots/audit-logs:log-stream:VeraResearch/*"
    ]
