"""The event that made a bot run: `read_source` gives `SourceFacts`."""

from emitter.identity.source.facts import SourceFacts
from emitter.identity.source.reading import read_source

__all__ = ["SourceFacts", "read_source"]
