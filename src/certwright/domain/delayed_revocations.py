"""Revocations that take effect later than they are asked for."""

from dataclasses import dataclass
from datetime import datetime

from certwright.domain.certificates import SerialNumber
from certwright.domain.requests import RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedRevocation:
    """The revocation of one certificate by one request. Shape: *lists* are the revocation lists wanted then, by blanks."""

    serial: SerialNumber
    request_id: RequestId
    effective: datetime
    lists: str = ""
