"""What was chosen for a request, as its column holds it."""

from datetime import timedelta

import msgspec

from certwright.domain.policies import NO_CHOICES, Choices
from certwright.domain.revocation import RevocationReason


def encode_choices(choices: Choices) -> str:
    """Return JSON, or nothing where nothing was chosen, as it is with nearly every request."""
    if choices == NO_CHOICES:
        return ""
    delay = choices.revocation_delay
    chosen = {
        "revocation_reason": None if choices.revocation_reason is None else int(choices.revocation_reason),
        "revocation_delay_seconds": None if delay is None else int(delay.total_seconds()),
        "certificate_template": choices.certificate_template,
    }
    return msgspec.json.encode(chosen).decode()


def decode_choices(text: str) -> Choices:
    """Return what `encode_choices` has written."""
    if not text:
        return NO_CHOICES
    chosen = msgspec.json.decode(text)
    reason, seconds = chosen["revocation_reason"], chosen["revocation_delay_seconds"]
    return Choices(
        revocation_reason=None if reason is None else RevocationReason(reason),
        revocation_delay=None if seconds is None else timedelta(seconds=seconds),
        certificate_template=chosen["certificate_template"],
    )
