"""Which sinks a bot gets, by its settings and by where it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from emitter.runtime import is_on_lambda
from emitter.sinks.cloudwatch_logs import CloudWatchLogsSink
from emitter.sinks.spool import SpoolSink
from emitter.sinks.stdout import StdoutSink

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emitter.settings import EmitterSettings
    from emitter.sinks.entry import Sink


def choose_sinks(
    settings: EmitterSettings, environ: Mapping[str, str] = os.environ
) -> list[Sink]:
    """Return the sinks in the order in which they are tried.

    CloudWatch on Lambda or where somebody named a log group, else stdout. After it
    the fallback: on Lambda the marked line on stdout, which Lambda ships by itself;
    elsewhere the spool, if there is a folder for it, and then that line.
    """
    fallbacks = _fallbacks(settings, environ)
    wants_cloudwatch = settings.sink == "cloudwatch" or (
        settings.sink == "auto"
        and (is_on_lambda(environ) or settings.is_log_group_named)
    )
    if wants_cloudwatch:
        return [CloudWatchLogsSink(settings.region), *fallbacks]
    spools = [sink for sink in fallbacks if isinstance(sink, SpoolSink)]
    return [StdoutSink(), *spools]


def _fallbacks(settings: EmitterSettings, environ: Mapping[str, str]) -> list[Sink]:
    if settings.fallback == "off":
        return []
    stdout = StdoutSink(with_content=settings.fallback == "full")
    if is_on_lambda(environ) or not settings.spool_dir:
        return [stdout]
    return [SpoolSink(settings.spool_dir, settings.max_spool_bytes), stdout]
