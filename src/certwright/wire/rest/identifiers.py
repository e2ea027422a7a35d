"""GUIDs as clients write them."""

import re
from uuid import UUID

UNSET_IDENTIFIER = UUID(int=0)
"""How the API writes that there is none."""

_BLANKS = " \t\n\r\f\v"
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE | re.ASCII)


def find_identifier(text: str) -> UUID | None:
    """Return the GUID that *text* is, with or without braces, hyphens and blanks around it, in any case; else None."""
    bare = text.strip(_BLANKS)
    if bare.startswith("{") and bare.endswith("}"):
        bare = bare[1:-1].strip(_BLANKS)
    return UUID(bare) if _GUID.fullmatch(bare) else None
