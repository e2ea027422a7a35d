"""Every spelling of an address becomes one.

Source: domain.md 8, numbers 12 and 14, and the decision "reading".
"""

from urllib.parse import parse_qsl

from certwright.domain.errors import MalformedValue

ROOT = "/certificatemanagement"
QUERY_FIELDS_LIMIT = 50
_BLANKS = " \t\u00a0"


def fold_path(path: str) -> str:
    """Return *path* in lower case, without blanks and full stops around its segments and without empty segments.

    Shape: *path* is percent-decoded. Paths outside of this API come back as they are.
    """
    lowered = path.lower()
    if not lowered.startswith(ROOT):
        return path
    segments = (_trim(each) for each in lowered.split("/"))
    return "/" + "/".join(each for each in segments if each)


def fold_query(query: bytes) -> dict[str, str]:
    """Return the values by lower-case name, trimmed; of a name that comes more than once, the last.

    Errors: MalformedValue when there are more than fifty.
    """
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_FIELDS_LIMIT)
    except ValueError:
        raise MalformedValue("query", f"more than {QUERY_FIELDS_LIMIT} values are not taken") from None
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _trim(segment: str) -> str:
    """Return the segment without the strays of the documentation; ``.`` and ``..`` are no strays and stay."""
    return segment.strip(_BLANKS).rstrip(_BLANKS + ".") or segment.strip(_BLANKS)
