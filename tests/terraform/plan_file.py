"""Read a plan: ``terraform show -json``."""

from __future__ import annotations

import json

EXAMPLES = ("minimal", "splunk", "opensearch", "both", "cross_account")


def resources(plan, kind, name=None):
    """Return the planned values of all resources of a kind, by address."""
    found = {}
    modules = [plan["planned_values"]["root_module"]]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        for item in module.get("resources", []):
            if item["type"] == kind and name in (None, item["name"]):
                found[item["address"]] = item["values"]
    return found


def one(plan, kind, name=None):
    """Return the only resource of a kind."""
    (found,) = resources(plan, kind, name).values()
    return found


def processor(configuration):
    """Return the parameters of a stream's one Lambda processor that are known."""
    (processing,) = configuration["processing_configuration"]
    (lambda_processor,) = processing["processors"]
    assert lambda_processor["type"] == "Lambda"
    return {
        item["parameter_name"]: item.get("parameter_value")
        for item in lambda_processor["parameters"]
    }


def policies(plan):
    """Return role policies and trust policies as documents, by address."""
    found = {}
    for kind, key in (
        ("aws_iam_role_policy", "policy"),
        ("aws_iam_role", "assume_role_policy"),
        ("aws_s3_bucket_policy", "policy"),
        ("aws_kms_key_policy", "policy"),
        ("aws_cloudwatch_log_destination_policy", "access_policy"),
    ):
        for address, values in resources(plan, kind).items():
            if values.get(key):
                found[address] = json.loads(values[key])
    return found


def statements(document):
    """Yield a policy's statements with lists of actions and resources."""
    for item in document["Statement"]:
        actions, targets = item["Action"], item.get("Resource", [])
        yield item | {
            "Action": [actions] if isinstance(actions, str) else actions,
            "Resource": [targets] if isinstance(targets, str) else targets,
        }


def settings_of_checks(plan):
    """Return the state of each check block and precondition, by its address."""
    return {
        item["address"]["to_display"]: item["status"] for item in plan.get("checks", [])
    }
