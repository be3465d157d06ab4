"""The audit trail of a chat bot, in ten lines of the bot's code.

::

    from emitter import AuditEmitter

    audit = AuditEmitter(bot_name="VeraSlack")

    def handler(event, context):
        with audit.question(event, lambda_context=context) as q:
            q.conversation(messages)
            answer = bedrock.converse(modelId=MODEL, messages=messages)
            q.model_response(answer)
            say(text)          # the person comes first ...
            q.reply(text)      # ... then the audit is told what they were shown

Leaving the block writes exactly one record. The bot's user never waits for it
before the reply and never sees an error of it.
"""

from emitter.client import AuditEmitter
from emitter.clock import Clock
from emitter.errors import EmitterError, QueueFullError, SettingsError, SinkError
from emitter.question import Question
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
