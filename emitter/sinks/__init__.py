"""Where records go: CloudWatch Logs first, and what catches them if that fails."""

from emitter.sinks.entry import Entry, Sink

__all__ = ["Entry", "Sink"]
