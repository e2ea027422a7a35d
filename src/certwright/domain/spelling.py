"""What a person may have meant who wrote a name that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

MOST_SUGGESTIONS = 3
MOST_COMPARED = 10_000
"""Names that are looked at: more of them would take seconds."""
LONGEST_CHARACTERS = 200


def list_similar(name: str, known: Iterable[str]) -> list[str]:
    """Return the names among *known* that look like *name* in any case, the most similar one first."""
    if len(name) > LONGEST_CHARACTERS:
        return []
    folded = {each.casefold(): each for each in islice(known, MOST_COMPARED)}
    close = get_close_matches(name.casefold(), folded, n=MOST_SUGGESTIONS)
    # Who wrote the beginning of a name meant one that begins so.
    begun = [each for each in sorted(folded) if name and each.startswith(name.casefold()) and each not in close]
    return [folded[each] for each in (*close, *begun)][:MOST_SUGGESTIONS]


def ask_similar(name: str, known: Iterable[str]) -> str:
    """Return the question whether one of `list_similar` was meant; nothing where there is none."""
    found = list_similar(name, known)
    if not found:
        return ""
    return f"Did you mean {found[0]}?" if len(found) == 1 else f"Did you mean one of these: {', '.join(found)}?"
