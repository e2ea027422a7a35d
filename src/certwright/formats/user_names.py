"""What certificates will say of a person, looked at when the person is added: what is taken here can be certified.

Source: RFC 5280 sections 4.1.2.6 and 4.2.1.6 with the upper bounds of appendix A.1, in characters; RFC 7617 section 2 for
account names, which HTTP Basic cannot carry with a colon or a control character.
"""

import unicodedata
from collections.abc import Iterator

from certwright.domain.counts import count_of
from certwright.domain.errors import DefinitionInvalid, NameRefused, Refused
from certwright.domain.identities import User
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.rules.names import escape_name_value, find_text_fault
from certwright.formats.names import encode_name

PRINCIPAL_NAME_LIMIT_CHARACTERS = 1_024
"""Of userPrincipalName in Active Directory. Source: MS-ADA3, Attribute-Id 656, rangeUpper."""
_NOT_IN_ACCOUNTS = "\\@:"


def normalize_name(text: str) -> str:
    """Return *text* in one spelling: a letter and its accent are one character, as in what people type into most systems.

    Source: RFC 8265 section 3.3 (user names are compared in normalization form C).
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def list_user_faults(user: User, where: str) -> list[Refused]:
    """Return what is wrong with the names of *user*, by attribute under the dotted path *where*."""
    return [
        DefinitionInvalid(f"{where}.{attribute}".removesuffix("."), fault)
        for attribute, found in (
            ("", _find_account_fault(user.account_name)),
            ("principal_name", _find_principal_fault(user.principal_name)),
            ("display_name", _find_display_fault(user.display_name)),
            ("distinguished_name", _find_name_fault(user.distinguished_name)),
            ("email", _find_mail_fault(user.email)),
        )
        for fault in found
    ]


def _find_account_fault(name: str) -> Iterator[str]:
    if not name or any(each in name for each in _NOT_IN_ACCOUNTS):
        yield "an account name is not empty and has neither \\ nor @ nor a colon: nobody could sign in with it"
    yield from _find_characters(name)


def _find_principal_fault(name: str) -> Iterator[str]:
    if not all(name.partition("@")):
        yield "a name of the form name@domain is wanted"
    if len(name) > PRINCIPAL_NAME_LIMIT_CHARACTERS:
        yield f"it has {count_of(len(name), 'character')}; at most {PRINCIPAL_NAME_LIMIT_CHARACTERS:,} are taken"
    yield from _find_characters(name)


def _find_display_fault(name: str) -> Iterator[str]:
    """Yield why it cannot be the common name that templates make of it."""
    if name:
        yield from _find_name_fault(f"CN={escape_name_value(name)}")


def _find_name_fault(name: str) -> Iterator[str]:
    try:
        encode_name(name)
    except NameRefused as refused:
        yield refused.detail
    yield from _find_characters(name)


def _find_mail_fault(address: str) -> Iterator[str]:
    if address and (fault := find_address_fault(address)):
        yield fault


def _find_characters(text: str) -> Iterator[str]:
    if fault := find_text_fault(text):
        yield fault
