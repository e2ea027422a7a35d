"""A certificate must name somebody, and only with names that the standard can hold and people can read."""

import re
import unicodedata
from collections.abc import Iterable

from certwright.domain.errors import NameRefused, Refused
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.profile_templates import AlternativeName, CertificateTemplate

SPECIAL_CHARACTERS = '\\,+"<>;='
JOINERS = frozenset("\u200c\u200d")
"""Invisible, and yet letters of Persian and several Indian scripts need them."""

_NEVER_SEEN = ((0x2065, 0x2065), (0xFDD0, 0xFDEF), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
"""Code points without a character that are noncharacters, or reserved for what is not displayed."""
_HEXADECIMAL_ESCAPES = re.compile(r"\\\\|(?:\\[0-9A-Fa-f]{2})+")


def list_name_faults(
    template: CertificateTemplate, subject: str, alternative_names: Iterable[tuple[AlternativeName, str]]
) -> list[Refused]:
    """Return what is wrong with the names: none at all, one that the template wants and the directory lacks, characters that
    nobody sees, an address that is none.

    Whether *subject* is well formed is seen when it is encoded.

    Source: RFC 5280 sections 4.1.2.6 and 4.2.1.6; for addresses `find_address_fault`.
    """
    given = dict(alternative_names)
    faults = [f"the directory has no {kind}" for kind in template.alternative_names if kind not in given]
    if not subject and not given:
        faults.append("the certificate would name nobody")
    if fault := find_text_fault(subject + "".join(given.values())):
        faults.append(fault)
    email = given.get(AlternativeName.EMAIL)
    if email is not None and find_address_fault(email) is not None:
        faults.append(f"{email!r} is no mail address")
    return [NameRefused(fault) for fault in faults]


def find_text_fault(text: str) -> str | None:
    """Return which characters of *text* cannot be seen, or None. Shape: hexadecimal escapes stand for their characters.

    Characters that turn the direction of text are refused with the control characters, because they make one name look like
    another.

    Source: the general categories of Unicode. A character that this version of Python does not know may well be a letter of
    a newer Unicode: only those are refused that will never be one, or never be seen (The Unicode Standard, 23.7
    Noncharacters, and 5.21 Default Ignorable Code Points).
    """
    # Python calls a few harmless characters unprintable, the no-break space for one: only for these it is worth a closer look.
    resolved = _resolve_hexadecimal(text)
    found = [] if resolved.isprintable() else [each for each in dict.fromkeys(resolved) if _is_invisible(each)]
    if not found:
        return None
    return f"it has control characters, or others that nobody sees: {', '.join(f'U+{ord(each):04X}' for each in found[:4])}"


def escape_name_value(value: str) -> str:
    """Return *value* as it stands in a distinguished name's text. Source: RFC 4514 section 2.4."""
    escaped = "".join(f"\\{each}" if each in SPECIAL_CHARACTERS else each for each in value).replace("\0", "\\00")
    if escaped[:1] in ("#", " "):
        escaped = f"\\{escaped}"
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") and len(value) > 1 else escaped


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        number = ord(character)
        return number & 0xFFFE == 0xFFFE or any(first <= number <= last for first, last in _NEVER_SEEN)
    return category in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and character not in JOINERS


def _resolve_hexadecimal(text: str) -> str:
    """Return *text* with its hexadecimal escapes as the characters they stand for, escaped backslashes as they are."""
    if "\\" not in text:
        return text
    return _HEXADECIMAL_ESCAPES.sub(lambda found: _read_octets(found[0]), text)


def _read_octets(escapes: str) -> str:
    return escapes if escapes == r"\\" else bytes.fromhex(escapes.replace("\\", "")).decode(errors="replace")
