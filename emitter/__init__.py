"""The audit trail of a chat bot, in ten lines of the bot's code.

::

    from emitter import AuditEmitter

    audit = AuditEmitter(bot_name="VeraSlack")

    def handler(event, context):
        with audit.question(event, lambda_context=context) as q:
            q.conversation(messages)
            answer = bedrock.converse(modelId=MODEL, messages=messages)
            q.model_response(answer)
            text = answer["output"]["message"]["content"][0]["text"]
            say(text)          # the person comes first ...
            q.reply(text)      # ... then the audit is told what they were shown

Leaving the block writes exactly one record. The bot's user never waits for it
before the reply and never sees an error of it. ``event`` is the Lambda's own or what
Slack or Teams has sent; the bot verifies it first. A reply that is returned waits for
the block: see docs/add-auditing.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit_record.lazy import lazy_names
from emitter.client import AuditEmitter
from emitter.clock import Clock
from emitter.question import Question

if TYPE_CHECKING:
    from emitter.errors import EmitterError, QueueFullError, SettingsError, SinkError
    from emitter.settings import EmitterSettings
    from emitter.sinks.entry import Entry, Sink

__all__ = [
    "AuditEmitter",
    "Clock",
    "EmitterError",
    "EmitterSettings",
    "Entry",
    "Question",
    "QueueFullError",
    "SettingsError",
    "Sink",
    "SinkError",
]

# Loaded when first used: most bots name none of these.
_HOMES: Final = {
    "EmitterError": "emitter.errors",
    "EmitterSettings": "emitter.settings",
    "Entry": "emitter.sinks.entry",
    "QueueFullError": "emitter.errors",
    "SettingsError": "emitter.errors",
    "Sink": "emitter.sinks.entry",
    "SinkError": "emitter.errors",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
