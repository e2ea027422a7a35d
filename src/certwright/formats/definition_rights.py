"""Rights that stand in tables of their own, apart from what they are held on."""

from collections.abc import Callable, Iterable, Iterator

from certwright.domain.grants import RIGHTS_ON, Grant, ObjectKind
from certwright.domain.identities import Sid
from certwright.formats.definition_tables import Names, RightTable


def list_grants(
    tables: Iterable[RightTable],
    resolve: Callable[[Names, str], frozenset[Sid]],
    find_object: Callable[[ObjectKind, str], str | None],
    note: Callable[[str, str], None],
) -> Iterator[Grant]:
    """Return the grants of ``[[rights]]``. Faults: rights that mean nothing there, and objects that there are not."""
    for number, table in enumerate(tables):
        where = f"rights[{number}]"
        if table.right not in RIGHTS_ON[table.kind]:
            note(f"{where}.right", f"on a {table.kind} it is one of {', '.join(sorted(RIGHTS_ON[table.kind]))}")
        name = find_object(table.kind, table.on)
        if name is None:
            note(f"{where}.on", f"there is no {table.kind} {table.on}".rstrip())
            continue
        for sid in sorted(resolve(table.to, f"{where}.to")):
            yield Grant(table.kind, name, table.right, sid)
