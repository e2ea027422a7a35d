"""GUIDs as clients write them."""

import re
from uuid import UUID

UNSET_IDENTIFIER = UUID(int=0)
"""How the API writes that there is none."""

_GUID = re.compile(
    r"\s*(?P<brace>\{)?\s*"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})"
    r"\s*(?(brace)\})\s*",
    re.IGNORECASE | re.ASCII,
)


def find_identifier(text: str) -> UUID | None:
    """Return the GUID that *text* is, with or without braces, hyphens and blanks around it, in any case; else None."""
    found = _GUID.fullmatch(text)
    return UUID(found[2]) if found else None
