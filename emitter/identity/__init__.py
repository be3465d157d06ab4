"""Who asked: one name for a person on every platform.

``from_slack``, ``from_teams``, ``from_claims`` and ``from_text`` are pure and take
any input; ``SlackDirectory`` and ``TeamsDirectory`` do the look-ups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit_record.lazy import lazy_names

if TYPE_CHECKING:
    from emitter.identity.claims import from_claims, from_text
    from emitter.identity.directory import SlackDirectory, TeamsDirectory
    from emitter.identity.model import UNKNOWN_USER_ID, Home, Identity, LookupFailure
    from emitter.identity.resolution import resolve
    from emitter.identity.slack import from_slack
    from emitter.identity.source.facts import SourceFacts
    from emitter.identity.source.reading import read_source
    from emitter.identity.teams import from_teams

__all__ = [
    "UNKNOWN_USER_ID",
    "Home",
    "Identity",
    "LookupFailure",
    "SlackDirectory",
    "SourceFacts",
    "TeamsDirectory",
    "from_claims",
    "from_slack",
    "from_teams",
    "from_text",
    "read_source",
    "resolve",
]

# Loaded when first used: a bot imports this before its first question, and most
# of it is needed only after the reply.
_HOMES: Final = {
    "UNKNOWN_USER_ID": "emitter.identity.model",
    "Home": "emitter.identity.model",
    "Identity": "emitter.identity.model",
    "LookupFailure": "emitter.identity.model",
    "SlackDirectory": "emitter.identity.directory",
    "SourceFacts": "emitter.identity.source.facts",
    "TeamsDirectory": "emitter.identity.directory",
    "from_claims": "emitter.identity.claims",
    "from_slack": "emitter.identity.slack",
    "from_teams": "emitter.identity.teams",
    "from_text": "emitter.identity.claims",
    "read_source": "emitter.identity.source.reading",
    "resolve": "emitter.identity.resolution",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
