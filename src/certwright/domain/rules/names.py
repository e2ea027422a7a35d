"""A certificate must name somebody, and only with names that the standard can hold."""

from collections.abc import Iterable

from certwright.domain.errors import NameRefused, Refused
from certwright.domain.profile_templates import AlternativeName, CertificateTemplate

SPECIAL_CHARACTERS = '\\,+"<>;='


def list_name_faults(
    template: CertificateTemplate, subject: str, alternative_names: Iterable[tuple[AlternativeName, str]]
) -> list[Refused]:
    """Return what is wrong with the names: none at all, one that the template wants and the directory lacks, control
    characters, an address that is none.

    Source: RFC 5280 sections 4.1.2.6 and 4.2.1.6.
    """
    given = dict(alternative_names)
    faults = [f"the directory has no {kind}" for kind in template.alternative_names if kind not in given]
    if not subject and not given:
        faults.append("the certificate would name nobody")
    if any(not character.isprintable() for character in subject + "".join(given.values())):
        faults.append("it has control characters")
    email = given.get(AlternativeName.EMAIL)
    if email is not None and not (email.isascii() and email.count("@") == 1 and all(email.split("@"))):
        faults.append(f"{email!r} is no mail address")
    return [NameRefused(fault) for fault in faults]


def escape_name_value(value: str) -> str:
    """Return *value* as it stands in a distinguished name's text. Source: RFC 4514 section 2.4."""
    escaped = "".join(f"\\{each}" if each in SPECIAL_CHARACTERS else each for each in value)
    if escaped[:1] in ("#", " "):
        escaped = f"\\{escaped}"
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") and len(value) > 1 else escaped
