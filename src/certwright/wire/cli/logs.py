"""Logs: one line an occurrence on standard error, JSON where no person reads along."""

import logging
import sys

import structlog
from structlog.typing import Processor

from certwright.settings import LogForm, LogSettings

QUIET_LOGGERS = ("uvicorn", "uvicorn.error", "httpx", "alembic")
"""Libraries that tell at level info what we tell ourselves, or what nobody asked for."""


def configure_logs(settings: LogSettings) -> None:
    """Send our own lines and those of libraries to standard error, in one form, from the wanted level on."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    is_text = settings.form is LogForm.TEXT or (settings.form is LogForm.AUTO and sys.stderr.isatty())
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if is_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # A line is written in one go, so that those of several processes do not run into each other.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
