"""The details of an event, as they are stored: JSON in one spelling.

Digests, marks and seals are over what the details say. So nothing may be taken for details that says the same in other
words: a search, which looks at the text, would not find it.
"""

from collections.abc import Mapping

import msgspec

from certwright.adapters.sql.columns import refuse

_decode = msgspec.json.Decoder(dict[str, str]).decode
_encode = msgspec.json.Encoder().encode


def write_details(details: Mapping[str, str]) -> str:
    """Return *details* as they are stored."""
    return _encode(dict(details)).decode()


def read_details(stored: object) -> dict[str, str]:
    """Return what *stored* says. Errors: StoredRowAltered for all that `write_details` does not write."""
    found = find_details(stored)
    if found is None or write_details(found) != stored:
        raise refuse("details of an event", stored)
    return found


def find_details(stored: object) -> dict[str, str] | None:
    """Return what *stored* says, in whatever spelling; None where it cannot be read, which is another's fault to tell."""
    if not isinstance(stored, str | bytes):
        return None
    try:
        return _decode(stored)
    except (msgspec.DecodeError, UnicodeError):
        return None
