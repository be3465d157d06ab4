"""What bots say of a person's verdict, in the words of the record."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from audit_record.field import FEEDBACKS
from emitter.conversation.shape import only_text

_LOG: Final = logging.getLogger("emitter")
_RECORD_ID: Final = "[0-9a-f]{32}"
# What was said about already: once a process is enough.
_told: Final[set[str]] = set()


def read_feedback(record_id: Any, verdict: Any) -> dict[str, Any]:
    """Return both as fields of the record; what is neither stays as it came.

    Case, blanks and the dashes that some systems write into ids do not count.
    """
    shown = only_text(verdict).strip().lower()
    if shown not in FEEDBACKS:
        _tell_once("a verdict of feedback is neither up nor down")
    plain_id = only_text(record_id).strip().lower().replace("-", "")
    is_id = re.fullmatch(_RECORD_ID, plain_id) is not None
    if not is_id:
        _tell_once("feedback is about what is no record_id")
    return {
        "ref_record_id": plain_id if is_id else record_id,
        "feedback": shown if shown in FEEDBACKS else verdict,
    }


def _tell_once(fault: str) -> None:
    if fault not in _told:
        _told.add(fault)
        _LOG.warning("audit: %s: it is kept among the attributes", fault)
