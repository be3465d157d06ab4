"""Vera Research: an agent behind a web page, which uses tools and documents.

API Gateway calls it with the person's OIDC claims. One question makes several
model and tool calls; the audit trail still has one record for it. The response is the
reply here, and a Lambda is frozen once it has responded, so the page waits for the
record: one call of CloudWatch Logs, and ``BOT_AUDIT_BUDGET_MS`` at the very worst.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emitter import AuditEmitter
from examples.scripted_model import MODEL_ID, Model, ScriptedModel


@dataclass(frozen=True)
class Research:
    """What the agent does for one question, in this example by script.

    Attributes:
        tools: Names, status and milliseconds of the tools it calls.
        sources: URI and title of the documents it reads.
    """

    tools: Sequence[tuple[str, str, int]] = ()
    sources: Sequence[tuple[str, str]] = ()


@dataclass
class VeraResearch:
    """The agent: one call for each HTTP request.

    Calls of a real client are told by the client itself, once it is watched; that the
    agent tells its answers as well, for the script, does not count them twice.

    Args:
        audit: The audit trail.
        model: Bedrock's ``bedrock-runtime`` client, or a script.
        plans: What to look up for a question.
    """

    audit: AuditEmitter
    model: Model
    plans: dict[str, Research] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Watch the model, unless it is a script."""
        if not isinstance(self.model, ScriptedModel):
            self.audit.watch(self.model)

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one API Gateway event with an HTTP response."""
        body = json.loads(event["body"])
        question = body["question"]
        messages = [{"role": "user", "content": [{"text": question}]}]
        with self.audit.question(
            event,
            text=question,
            lambda_context=context,
            conversation=messages,
            conversation_id=body["conversation_id"],
            model=MODEL_ID,
        ) as q:
            plan = self.plans.get(question, Research())
            for name, status, ms in plan.tools:
                q.tool(name, status=status, ms=ms)
            for uri, title in plan.sources:
                q.source(uri, title=title)
            answer = self.model.converse(modelId=MODEL_ID, messages=messages)
            q.model_response(answer)
            text = answer["output"]["message"]["content"][0]["text"]
            q.reply(text)
        return {"statusCode": 200, "body": json.dumps({"answer": text})}
