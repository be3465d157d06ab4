"""Vera on Slack: a help bot of Slack Bolt on AWS Lambda, audited by a middleware.

Slack's Events API calls the Lambda through API Gateway; the bot answers in the thread
and remembers the thread's turns. As a Lambda of its own it begins with::

    app = App(process_before_response=True)  # SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET
    audit = AuditEmitter("VeraSlack", directory=SlackDirectory(bot_token))
    vera = VeraSlack(app, audit, boto3.client("bedrock-runtime"))
    handler = vera.handle
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from slack_bolt import App, Say
from slack_bolt.adapter.aws_lambda.handler import to_aws_response, to_bolt_request

from emitter import AuditEmitter, Question
from emitter.bolt import audit_middleware
from examples.scripted_model import MODEL_ID, Model

SORRY = "Sorry, I can't answer right now. Please try again in a minute."
DepartmentOf = Callable[[str], str | None]


class VeraSlack:
    """The bot: its listener on a Bolt app, and the Lambda's handler.

    Args:
        app: The Bolt app; made with ``process_before_response``, as Lambda needs it.
        audit: The audit trail; made once, next to the bot's other clients.
        model: Bedrock's ``bedrock-runtime`` client, or a script.
        department_of: What the bot knows of a person, by Slack's user id.
    """

    def __init__(
        self,
        app: App,
        audit: AuditEmitter,
        model: Model,
        department_of: DepartmentOf = lambda _: None,
    ) -> None:
        self._app = app
        self._model = model
        self._department_of = department_of
        self._threads: dict[str, list[dict[str, Any]]] = defaultdict(list)
        app.use(audit_middleware(audit))  # one record for each question
        app.event("app_mention")(self.answer)

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event of API Gateway; AWS calls this."""
        request = to_bolt_request(event)
        request.context["lambda_context"] = context  # request id, log stream, time left
        return to_aws_response(self._app.dispatch(request))

    def answer(self, event: dict[str, Any], say: Say, audit_question: Question) -> None:
        """Answer one mention of the bot; Bolt calls this.

        What `say` posts is the reply in the record. The rest that Bolt cannot see,
        which model was asked and what it saw and answered, is told here.
        """
        thread = event.get("thread_ts") or event["ts"]
        department = self._department_of(event["user"])
        audit_question.set(model_used=MODEL_ID, department=department)
        text = re.sub(r"<@[A-Z0-9]+>", "", event["text"]).strip()
        messages = self._remember(thread, "user", text)
        answer = self._ask(audit_question.conversation(messages), audit_question)
        say(answer, thread_ts=thread)
        self._remember(thread, "assistant", answer)

    def _ask(self, messages: list[dict[str, Any]], audit_question: Question) -> str:
        try:
            answer = self._model.converse(modelId=MODEL_ID, messages=messages)
        except Exception as error:  # noqa: BLE001 - the person gets a reply anyway
            audit_question.set(outcome="error", error_type=type(error).__name__)
            return SORRY
        audit_question.model_response(answer)
        text: str = answer["output"]["message"]["content"][0]["text"]
        return text

    def _remember(self, thread: str, role: str, text: str) -> list[dict[str, Any]]:
        self._threads[thread].append({"role": role, "content": [{"text": text}]})
        return self._threads[thread]
