"""Settings of what is issued."""

from dataclasses import dataclass

from certwright.setting_values import object_identifiers
from certwright.setting_values import setting as _setting


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceSettings:
    """What certificates may say."""

    certificate_policies: tuple[str, ...] = _setting(
        (),
        "The certificate policies (dotted object identifiers) that certificate templates may assert; what a template asserts "
        "beyond them is neither loaded nor issued. Before one is listed here: whoever holds a certificate with it is a member "
        "of the group that a directory links it to.",
        object_identifiers,
    )
