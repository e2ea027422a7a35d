"""Checkpoints posted to a receiver on another machine, whoever that is: the body carries its own proof."""

from datetime import datetime, timedelta

import httpx

from certwright.domain.errors import CheckpointUnavailable
from certwright.domain.events import Checkpoint
from certwright.formats.checkpoint_lines import encode_checkpoint

TIMEOUT_SECONDS = 5
PAUSE = timedelta(seconds=30)
"""How long a receiver that failed is left alone."""


class CheckpointWebhook:
    """Keeps the port `CheckpointSink` with POST of one line of JSON, signed by the sealing key."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._taken: Checkpoint | None = None
        self._pause_ends: datetime | None = None

    def is_behind(self, checkpoint: Checkpoint, at: datetime) -> bool:
        """Return whether the receiver was not told of *checkpoint* by this process, and did not fail a moment ago."""
        return checkpoint != self._taken and (self._pause_ends is None or at >= self._pause_ends)

    def write(self, checkpoint: Checkpoint, at: datetime) -> None:
        """Post *checkpoint*. Errors: CheckpointUnavailable."""
        fault = self._post(encode_checkpoint(checkpoint))
        if fault is not None:
            self._pause_ends = at + PAUSE
            raise CheckpointUnavailable(checkpoint.statement.number, self._url, fault)
        self._taken, self._pause_ends = checkpoint, None

    def _post(self, line: bytes) -> str | None:
        """Return what went wrong, or None."""
        headers = {"Content-Type": "application/json"}
        try:
            # What it answers beyond the status is of no interest, and might have no end.
            with httpx.stream("POST", self._url, content=line, headers=headers, timeout=TIMEOUT_SECONDS) as answer:
                return None if answer.is_success else f"it answered {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return str(error) or type(error).__name__
