"""Security descriptors as text, in the form of the REST API's examples.

Source: MS-DTYP section 2.5.1; domain.md section 5 for the letters in use, and the NUL that the product leaves for each entry.
"""

import re

from certwright.domain.errors import MalformedValue
from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.security_descriptors import SERVICE_SID, Entry, RequestPermission, SecurityDescriptor

_RIGHTS = {
    "CC": RequestPermission.EXECUTE,
    "DC": RequestPermission.CANCEL,
    "LC": RequestPermission.APPROVE,
    "SW": RequestPermission.WRITE,
    "SD": RequestPermission.DELETE,
    "RC": RequestPermission.READ,
}
"""In the order of the examples."""
_ALIASES = {EVERYONE: "WD", SERVICE_SID: "SY"}
_ALIASED = {alias: sid for sid, alias in _ALIASES.items()}
_TRUSTEE = r"S-1-[0-9]{1,14}(?:-[0-9]{1,10}){1,15}|WD|SY"
_ENTRY = rf"\((A|D);;((?:{'|'.join(_RIGHTS)})*);;;({_TRUSTEE})\)"
_DESCRIPTOR = re.compile(rf"O:({_TRUSTEE})D:((?:{_ENTRY})*)(\x00*)")
_ENTRIES = re.compile(_ENTRY)


def encode_security_descriptor(descriptor: SecurityDescriptor) -> str:
    """Return owner and entries; well-known SIDs by their two letters, as Windows writes them.

    Shape: one U+0000 for each entry at the end.
    """
    entries = "".join(_encode_entry(each) for each in descriptor.entries)
    return f"O:{_encode_trustee(descriptor.owner)}D:{entries}" + "\0" * len(descriptor.entries)


def parse_security_descriptor(text: str) -> SecurityDescriptor:
    """Return the descriptor, its reasons empty: the text has none.

    Errors: MalformedValue for text that is none, or holds rights and flags that requests do not have.
    """
    found = _DESCRIPTOR.fullmatch(text)
    if found is None:
        raise MalformedValue("SecurityDescriptor", "it is not the descriptor of a request")
    entries = tuple(_parse_entry(*each) for each in _ENTRIES.findall(found[2]))
    return SecurityDescriptor(_parse_trustee(found[1]), entries)


def _encode_entry(entry: Entry) -> str:
    rights = "".join(letters for letters, right in _RIGHTS.items() if right in entry.permissions)
    return f"({'A' if entry.is_allowed else 'D'};;{rights};;;{_encode_trustee(entry.trustee)})"


def _parse_entry(kind: str, rights: str, trustee: str) -> Entry:
    permissions = RequestPermission.NONE
    for start in range(0, len(rights), 2):
        permissions |= _RIGHTS[rights[start : start + 2]]
    return Entry(_parse_trustee(trustee), permissions, "", is_allowed=kind == "A")


def _encode_trustee(sid: Sid) -> str:
    return _ALIASES.get(sid, sid)


def _parse_trustee(text: str) -> Sid:
    return _ALIASED.get(text, Sid(text))
