"""A small evaluator of IAM policies: what they allow, by AWS's rules.

An explicit Deny wins, then an Allow, else it is denied. Known are actions, resources
with wildcards and policy variables, and the condition operators that our policies
use; anything else is an error, so that nothing is passed over.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import functools
import re

_VARIABLE = re.compile(r"\$\{([A-Za-z:/_]+)\}")
_KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}


def is_allowed(document, action, resource, context=()):
    """Tell whether *document* allows *action* on *resource*.

    Args:
        document: The policy as a mapping.
        action: Such as ``logs:PutLogEvents``.
        resource: ARN.
        context: Condition keys of the call, by name.

    Raises:
        ValueError: The policy has something that is not known here.
    """
    context = dict(context)
    effects = {
        item["Effect"]
        for item in document["Statement"]
        if _applies(item, action, resource, context)
    }
    return effects == {"Allow"}


def allowed_actions(document):
    """Return every action that some statement allows."""
    return {
        action
        for item in document["Statement"]
        if item["Effect"] == "Allow"
        for action in _listed(item["Action"])
    }


def without(document, action):
    """Return the policy without one action."""
    return document | {
        "Statement": [
            item | {"Action": [a for a in _listed(item["Action"]) if a != action]}
            for item in document["Statement"]
        ]
    }


def _applies(item, action, resource, context):
    if unknown := set(item) - _KNOWN:
        raise ValueError(f"not known here: {sorted(unknown)}")
    return (
        any(_like(a.lower(), action.lower()) for a in _listed(item["Action"]))
        and any(_matches(r, resource, context) for r in _listed(item["Resource"]))
        and _holds(item.get("Condition", {}), context)
    )


def _matches(pattern, resource, context):
    # A variable that the call does not have matches nothing.
    names = _VARIABLE.findall(pattern)
    if any(name not in context for name in names):
        return False
    parts = _VARIABLE.split(pattern)
    expression = "".join(
        re.escape(context[part]) if number % 2 else _expression(part)
        for number, part in enumerate(parts)
    )
    return re.fullmatch(expression, resource, re.DOTALL) is not None


def _holds(condition, context):
    for operator, wanted in condition.items():
        test = _OPERATORS.get(operator)
        if test is None:
            raise ValueError(f"not known here: {operator}")
        for key, values in wanted.items():
            if key not in context:
                return False
            if not any(test(value, context[key]) for value in _listed(values)):
                return False
    return True


def _equal(wanted, found):
    return wanted == found


def _like(pattern, text):
    return _compiled(pattern).fullmatch(text) is not None


@functools.cache
def _compiled(pattern):
    return re.compile(_expression(pattern), re.DOTALL)


def _expression(pattern):
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _listed(value):
    return [value] if isinstance(value, str) else list(value)


_OPERATORS = {
    "StringEquals": _equal,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal,
}
