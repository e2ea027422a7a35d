"""Leases, taken by compare-and-set."""

from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update

from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.adapters.sql.work_tables import leases
from certwright.domain.leases import LONGEST_TERM, Lease

_UNTIL = leases.c.until.type
_TAKE = (
    update(leases)
    .where(
        leases.c.name == bindparam("of_name"),
        or_(
            leases.c.holder == bindparam("holder"),
            leases.c.until <= bindparam("now", type_=_UNTIL),
            leases.c.until > bindparam("latest", type_=_UNTIL),
        ),
    )
    .values(holder=bindparam("holder"), until=bindparam("until"))
)
_ADD = insert_unless_taken(leases)
_GIVE_UP = delete(leases).where(leases.c.holder == bindparam("holder"))
_ALL = select(leases.c.name, leases.c.holder, leases.c.until).order_by(leases.c.name)


class SqlLeases:
    """Leases."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, lease: Lease, *, now: datetime) -> bool:
        """Store *lease* unless another's is in force at *now*, and return whether it is stored."""
        keys = {"of_name": lease.name, "now": now, "latest": now + LONGEST_TERM}
        values = {"holder": lease.holder, "until": lease.until}
        if self._connection.execute(_TAKE, keys | values).rowcount == 1:
            return True
        return _ADD.run(self._connection, [{"name": lease.name, **values}]) == 1

    def give_up(self, holder: str) -> None:
        """Remove every lease of *holder*."""
        self._connection.execute(_GIVE_UP, {"holder": holder})

    def list_all(self) -> tuple[Lease, ...]:
        """Return all leases by name, those that are over included."""
        return tuple(Lease(name=row.name, holder=row.holder, until=row.until) for row in self._connection.execute(_ALL))
