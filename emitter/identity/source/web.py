"""Read the facts of web requests and of plain requests to a bot or agent.

People of web requests are named by claims that an authorizer has verified, or an
API key; nothing in a body, query string or free header is believed to be a name. A
body that Slack or Teams has posted is no such request: see `reading`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from emitter.conversation.shape import (
    as_dict,
    as_list,
    as_text,
    dict_at,
    first_text,
    only_text,
    parse_json,
)
from emitter.identity.source.facts import SourceFacts

# Names under which front ends send a question; the first is Bedrock Agents',
# the second AgentCore's.
_QUERY_NAMES: Final = (
    "inputText",
    "prompt",
    "question",
    "query",
    "message",
    "text",
    "input",
)
_SESSION_NAMES: Final = (
    "sessionId",
    "session_id",
    "conversationId",
    "conversation_id",
)
# Claims by which a flat authorizer context is known to carry a token's content.
_CLAIM_NAMES: Final = frozenset(
    {
        *("sub", "oid", "email"),
        *("preferred_username", "upn", "unique_name", "username", "cognito:username"),
        *("client_id", "clientId", "appid", "azp", "cid"),
    }
)


def read_request(payload: dict[str, Any]) -> SourceFacts:
    """Read a request that carries no proof of who sent it.

    Takes the parameters of Bedrock's InvokeAgent and whatever a small front end
    sends. A ``user_id`` in it is not authenticated, so nobody is named.
    """
    session = dict_at(payload, "sessionState")
    history = dict_at(session, "conversationHistory").get("messages")
    return SourceFacts(
        kind="api",
        event=payload,
        user_query=_query(payload),
        conversation_id=first_text(payload, *_SESSION_NAMES) or None,
        channel_type="api",
        history=tuple(as_list(history)),
    )


def _query(values: dict[str, Any]) -> str:
    return first_text(values, *_QUERY_NAMES)


def read_web(event: dict[str, Any]) -> SourceFacts:
    """Read an API Gateway (v1, v2, WebSocket) or load balancer event."""
    body = body_text(event)
    values = as_dict(parse_json(body)) if body else None
    values = values or {}
    claims = dict(gateway_claims(event))
    subject = first_text(claims, "oid", "sub")
    tenant = first_text(claims, "tid")
    return SourceFacts(
        kind="web",
        event=event,
        claims=claims,
        user_query=_query(values) if values else body,
        conversation_id=first_text(values, *_SESSION_NAMES) or None,
        channel_type="api",
        user_platform_id="/".join(filter(None, (tenant, subject))) if subject else None,
    )


def body_text(event: dict[str, Any]) -> str:
    """Return a request's body as text; "" where there is none."""
    body = event.get("body")
    if event.get("isBase64Encoded") is not True:
        return as_text(body)
    try:
        return base64.b64decode(only_text(body)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def gateway_claims(event: dict[str, Any]) -> dict[str, Any]:
    """Return the claims that the gateway vouches for.

    REST API: ``authorizer.claims``. HTTP API: ``authorizer.jwt.claims``. Lambda
    authorizers: their own context, if it holds claims. Load balancer: the token
    it puts into ``x-amzn-oidc-data``. Else the id of the API key.
    """
    context = dict_at(event, "requestContext")
    authorizer = dict_at(context, "authorizer")
    found = dict_at(authorizer, "jwt", "claims") or _claims_of(authorizer)
    if not found and dict_at(context, "elb"):
        found = _load_balancer_claims(event)
    key = first_text(dict_at(context, "identity"), "apiKeyId")
    return found or ({"client_id": key} if key else {})


def _claims_of(authorizer: dict[str, Any]) -> dict[str, Any]:
    for context in (authorizer, dict_at(authorizer, "lambda")):
        nested = context.get("claims")
        # A Lambda authorizer of a REST API can return texts only.
        parsed = parse_json(nested) if isinstance(nested, str) else nested
        if claims := as_dict(parsed):
            return _with_client(claims)
        if _CLAIM_NAMES & context.keys():
            return _with_client(context)
    return {}


def _with_client(claims: dict[str, Any]) -> dict[str, Any]:
    """Name a client as tokens do, where an authorizer has spelt it its own way."""
    client = first_text(claims, "clientId")
    return {"client_id": client, **claims} if client else claims


def _load_balancer_claims(event: dict[str, Any]) -> dict[str, Any]:
    """Read the token of an Application Load Balancer that authenticates users.

    The balancer writes the header itself where its rule has an authenticate
    action; its signature is the bot's to check, as it is for the bot's own use.
    Page: ALB user guide, "Authenticate users".
    """
    for headers in (dict_at(event, "headers"), dict_at(event, "multiValueHeaders")):
        for name, value in headers.items():
            if only_text(name).lower() == "x-amzn-oidc-data":
                last = as_list(value)[-1:] or [value]
                return _token_claims(only_text(last[0]))
    return {}


def _token_claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return {}
    # The balancer pads its base64; others do not.
    claims = parts[1].rstrip("=")
    try:
        decoded = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
    except (binascii.Error, ValueError):
        return {}
    return as_dict(parse_json(decoded)) or {}
