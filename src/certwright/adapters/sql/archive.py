"""Archived keys and the agents who can read them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update

from certwright.adapters.sql.archive_tables import archived_keys, recovery_agents
from certwright.adapters.sql.marked_rows import RECOVERY_AGENTS
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.upserts import insert_or_replace, insert_unless_taken
from certwright.domain.archive import ArchivedKey, RecoveryAgent
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import ChangedMeanwhile

_AGENTS = select(
    recovery_agents.c.name,
    recovery_agents.c.certificate,
    recovery_agents.c.key_name,
    recovery_agents.c.added,
    recovery_agents.c.retired,
    recovery_agents.c.mark,
)
_SAVE_AGENT = insert_or_replace(recovery_agents)
_KEY = (archived_keys.c.serial, archived_keys.c.enveloped, archived_keys.c.agents, archived_keys.c.archived)
_FIND = select(*_KEY).where(archived_keys.c.serial == bindparam("of_serial", type_=archived_keys.c.serial.type))
_ADD = insert_unless_taken(archived_keys)
_REPLACE = (
    update(archived_keys)
    .where(
        and_(
            archived_keys.c.serial == bindparam("of_serial", type_=archived_keys.c.serial.type),
            archived_keys.c.enveloped == bindparam("before"),
        )
    )
    .values(enveloped=bindparam("enveloped"), agents=bindparam("agents"), archived=bindparam("archived"))
)
_OTHERS = archived_keys.c.agents != bindparam("current")
# Two looks by index: that two values differ leads nowhere.
_OTHER_KEYS = or_(archived_keys.c.agents < bindparam("current"), archived_keys.c.agents > bindparam("current"))
_COUNT = select(func.count()).select_from(archived_keys).where(_OTHER_KEYS)
_OUTDATED = select(*_KEY).where(_OTHERS).order_by(archived_keys.c.serial).limit(bindparam("row_limit"))
_OUTDATED_AFTER = _OUTDATED.where(archived_keys.c.serial > bindparam("after", type_=archived_keys.c.serial.type))


class SqlArchive:
    """`key_ports.Archive`."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def list_agents(self) -> tuple[RecoveryAgent, ...]:
        """Return all agents in the order in which they were added."""
        found = [self._read_agent(row) for row in self._connection.execute(_AGENTS)]
        return tuple(sorted(found, key=lambda each: (each.added, each.name)))

    def save_agent(self, agent: RecoveryAgent) -> None:
        """Store the agent in place of one of the same name."""
        row: dict[str, Any] = {
            "name": agent.name,
            "certificate": agent.certificate,
            "key_name": agent.key_name,
            "added": agent.added,
            "retired": agent.retired,
        }
        row["mark"] = self._ledger.mark(RECOVERY_AGENTS, row)
        _SAVE_AGENT.run(self._connection, [row])
        self._ledger.note(RECOVERY_AGENTS, row)

    def _read_agent(self, row: Row) -> RecoveryAgent:
        self._ledger.check(RECOVERY_AGENTS, row)
        return RecoveryAgent(
            name=row.name, certificate=row.certificate, key_name=row.key_name, added=row.added, retired=row.retired
        )

    def add(self, keys: Iterable[ArchivedKey]) -> None:
        """Store new archived keys. Errors: ChangedMeanwhile when one is there."""
        rows = [{"serial": each.serial, **_values(each)} for each in keys]
        if rows and _ADD.run(self._connection, rows) != len(rows):
            raise ChangedMeanwhile("archived key")

    def find(self, serial: SerialNumber) -> ArchivedKey | None:
        """Return the archived key of the certificate."""
        row = self._connection.execute(_FIND, {"of_serial": serial}).first()
        return None if row is None else _read(row)

    def replace(self, key: ArchivedKey, before: ArchivedKey) -> bool:
        """Store the key if the one from before is still there, and return whether it was."""
        values = {"of_serial": key.serial, "before": before.enveloped, **_values(key)}
        return self._connection.execute(_REPLACE, values).rowcount == 1

    def list_outdated(self, agents: bytes, after: SerialNumber | None, limit: int) -> tuple[ArchivedKey, ...]:
        """Return those that are encrypted to others than *agents*, by the digits of their serial numbers."""
        values: dict[str, Any] = {"current": agents, "row_limit": limit}
        if after is None:
            return tuple(map(_read, self._connection.execute(_OUTDATED, values)))
        return tuple(map(_read, self._connection.execute(_OUTDATED_AFTER, {**values, "after": after})))

    def count_outdated(self, agents: bytes) -> int:
        """Return how many there are of those."""
        count: int = self._connection.execute(_COUNT, {"current": agents}).scalar()
        return count


def _values(key: ArchivedKey) -> dict[str, Any]:
    return {"enveloped": key.enveloped, "agents": key.agents, "archived": key.archived}


def _read(row: Row) -> ArchivedKey:
    return ArchivedKey(serial=row.serial, enveloped=row.enveloped, agents=row.agents, archived=row.archived)
