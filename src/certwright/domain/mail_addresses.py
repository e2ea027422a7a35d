"""What counts as the address of a mailbox."""

import re

ADDRESS_LIMIT_CHARACTERS = 254
LOCAL_LIMIT_CHARACTERS = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")


def find_address_fault(address: str) -> str | None:
    """Return why no mail can be sent to *address*, or None.

    Source: RFC 5321 section 4.1.2 and 4.5.3.1, without quoted local parts and literals: one mailbox, no name, ASCII, so that
    nothing of it can be taken for a second address, a header or a command.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return "an address such as name@example.com is wanted"
    if len(address) > ADDRESS_LIMIT_CHARACTERS or len(found["local"]) > LOCAL_LIMIT_CHARACTERS:
        return f"an address has at most {LOCAL_LIMIT_CHARACTERS} characters before the @, and {ADDRESS_LIMIT_CHARACTERS} in all"
    return None
