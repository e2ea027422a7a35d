"""Logs: one line an occurrence on standard error, JSON where no person reads along.

A traceback names files, lines and the error, and never the values of local variables: passwords and keys are among them.
"""

import logging
import sys

import structlog
from structlog.typing import Processor

from certwright.settings import LogForm, LogSettings

QUIET_LOGGERS = ("uvicorn", "uvicorn.error", "httpx", "alembic")
"""Libraries that tell at level info what we tell ourselves, or what nobody asked for."""


def configure_first_logs() -> None:
    """Send lines of commands that read no settings, or have not read them yet, to standard error as text."""
    if logging.lastResort is not None:
        # Where nothing else is configured, it prints what libraries log.
        logging.lastResort.addFilter(_is_no_interrupt)
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[*_list_shared_processors(), _make_text_renderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Looked up for each line: the stream may be another one by then.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure_logs(settings: LogSettings) -> None:
    """Send our own lines and those of libraries to standard error, in one form, from the wanted level on."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared = _list_shared_processors()
    is_text = settings.form is LogForm.TEXT or (settings.form is LogForm.AUTO and sys.stderr.isatty())
    last: list[Processor] = (
        [_make_text_renderer()] if is_text else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
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
    handler.addFilter(_is_no_interrupt)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    """Return whether a line is about anything else than Ctrl-C, which a library may have caught in the middle of its work."""
    return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))


def _list_shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _make_text_renderer() -> Processor:
    # The formatter that structlog takes by itself, where rich is installed, prints the local variables of each frame.
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
