"""A certificate must name somebody, and only with names that the standard can hold and people can read."""

import re
import unicodedata
from collections.abc import Iterable

from certwright.domain.errors import NameRefused, Refused
from certwright.domain.profile_templates import AlternativeName, CertificateTemplate

SPECIAL_CHARACTERS = '\\,+"<>;='
JOINERS = frozenset("\u200c\u200d")
"""Invisible, and yet letters of Persian and several Indian scripts need them."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_MAILBOX = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_HEXADECIMAL_ESCAPES = re.compile(r"\\\\|(?:\\[0-9A-Fa-f]{2})+")


def list_name_faults(
    template: CertificateTemplate, subject: str, alternative_names: Iterable[tuple[AlternativeName, str]]
) -> list[Refused]:
    """Return what is wrong with the names: none at all, one that the template wants and the directory lacks, characters that
    nobody sees, an address that is none.

    Whether *subject* is well formed is seen when it is encoded.

    Source: RFC 5280 sections 4.1.2.6 and 4.2.1.6; for addresses the Mailbox of RFC 5321 section 4.1.2 without quoted strings
    and address literals. Characters that turn the direction of text are refused with the control characters, because they
    make one name look like another.
    """
    given = dict(alternative_names)
    faults = [f"the directory has no {kind}" for kind in template.alternative_names if kind not in given]
    if not subject and not given:
        faults.append("the certificate would name nobody")
    if _has_invisible_characters(_resolve_hexadecimal(subject) + "".join(given.values())):
        faults.append("it has control characters")
    email = given.get(AlternativeName.EMAIL)
    if email is not None and not _MAILBOX.fullmatch(email):
        faults.append(f"{email!r} is no mail address")
    return [NameRefused(fault) for fault in faults]


def escape_name_value(value: str) -> str:
    """Return *value* as it stands in a distinguished name's text. Source: RFC 4514 section 2.4."""
    escaped = "".join(f"\\{each}" if each in SPECIAL_CHARACTERS else each for each in value)
    if escaped[:1] in ("#", " "):
        escaped = f"\\{escaped}"
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") and len(value) > 1 else escaped


def _has_invisible_characters(text: str) -> bool:
    # Python calls a few harmless characters unprintable, the no-break space for one: only for these it is worth a closer look.
    return not text.isprintable() and any(_is_invisible(each) for each in text if each not in JOINERS)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")


def _resolve_hexadecimal(text: str) -> str:
    """Return *text* with its hexadecimal escapes as the characters they stand for, escaped backslashes as they are."""
    if "\\" not in text:
        return text
    return _HEXADECIMAL_ESCAPES.sub(lambda found: _read_octets(found[0]), text)


def _read_octets(escapes: str) -> str:
    return escapes if escapes == r"\\" else bytes.fromhex(escapes.replace("\\", "")).decode(errors="replace")
