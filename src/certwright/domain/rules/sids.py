"""Security identifiers of people and groups: one spelling for each, and none that Windows has given away.

Source: MS-DTYP sections 2.4.2.1 (the text form), 2.4.2.4 (well-known SIDs), and 2.4.2.3 for those of accounts.
"""

import re

SUB_AUTHORITY_LIMIT = 2**32
_NUMBER = r"(?:0|[1-9][0-9]{0,9})"
_FORM = re.compile(rf"S-1-{_NUMBER}(?:-{_NUMBER}){{1,15}}")
_OF_ACCOUNT = re.compile(r"S-1-(?:5-21|12-1)(?:-[0-9]+){4}")
"""Those of a domain or a machine, and of Microsoft Entra ID: three or four numbers of the issuer of the SID, and its own."""
_CLAIMS = re.compile(r"S-1-5-21-0-0-0-49[67]")
"""Compound authentication and claims, which say how somebody signed in."""


def is_sid(text: str) -> bool:
    """Return whether *text* is a security identifier in its one spelling, as Windows writes it.

    With zeros in front, or a number of more than 32 bits, Windows would read another one, or none. Authorities above 32 bits,
    which are written in hexadecimal digits, are none that gives identifiers to accounts.
    """
    return _FORM.fullmatch(text) is not None and all(int(each) < SUB_AUTHORITY_LIMIT for each in text.split("-")[2:])


def find_sid_fault(text: str) -> str | None:
    """Return why *text* is no security identifier that a person or a group can have."""
    if not is_sid(text):
        return f"{text!r:.200} is no security identifier, such as S-1-5-21-1-2-3-1001, in the one spelling that it has"
    if not _OF_ACCOUNT.fullmatch(text) or _CLAIMS.fullmatch(text):
        return f"{text} is not of one person or group: accounts have those that begin with S-1-5-21- (or S-1-12-1-)"
    return None
