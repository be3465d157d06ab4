"""Answers that arrive in pieces: `tee` reads along while the bot reads."""

from emitter.conversation.stream.along import AsyncTee, Tee, tee, tee_async

__all__ = ["AsyncTee", "Tee", "tee", "tee_async"]
