"""Keys made ahead. Each is taken once: who deletes its row has it."""

from sqlalchemy import bindparam, delete, func, insert, select

from certwright.adapters.sql.key_tables import pooled_keys
from certwright.adapters.sql.prepared import Connection
from certwright.domain.keys import SealedKey

_ADD = insert(pooled_keys)
_COUNT = select(func.count()).where(pooled_keys.c.kind == bindparam("of_kind"))
_OLDEST = (
    select(pooled_keys.c.number, pooled_keys.c.name, pooled_keys.c.public, pooled_keys.c.sealed, pooled_keys.c.created)
    .where(pooled_keys.c.kind == bindparam("of_kind"))
    .order_by(pooled_keys.c.number)
    .limit(1)
    # Who comes at the same moment takes the next one instead of waiting for this one.
    .with_for_update(skip_locked=True)
)
_TAKE = delete(pooled_keys).where(pooled_keys.c.number == bindparam("of_number"))


class SqlKeyPool:
    """Keys made ahead, oldest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, kind: str) -> int:
        """Return how many keys of *kind* there are."""
        count: int = self._connection.execute(_COUNT, {"of_kind": kind}).scalar()
        return count

    def add(self, kind: str, key: SealedKey) -> None:
        """Store a new key."""
        row = {"kind": kind, "name": key.name, "public": key.public, "sealed": key.sealed, "created": key.created}
        self._connection.execute(_ADD, row)

    def take(self, kind: str) -> SealedKey | None:
        """Remove the oldest key of *kind* and return it; None when there is none, or none that nobody else is taking."""
        row = self._connection.execute(_OLDEST, {"of_kind": kind}).first()
        if row is None or self._connection.execute(_TAKE, {"of_number": row.number}).rowcount != 1:
            return None
        return SealedKey(name=row.name, public=row.public, sealed=row.sealed, created=row.created)
