"""Send on what waits in a spool of the emitter, for operators."""
