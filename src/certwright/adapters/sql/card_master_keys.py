"""The sealed master keys of cards."""

from datetime import datetime

from sqlalchemy import bindparam, select

from certwright.adapters.sql.card_tables import card_master_keys
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.domain.admin_keys import CardMasterKey
from certwright.domain.errors import ChangedMeanwhile, KeyUnavailable

_MASTER = (card_master_keys.c.version, card_master_keys.c.sealed)
_ADD = insert_unless_taken(card_master_keys)
_NEWEST = select(*_MASTER).order_by(card_master_keys.c.version.desc()).limit(1)
_BY_VERSION = select(*_MASTER).where(card_master_keys.c.version == bindparam("of_version"))


class SqlCardMasterKeys:
    """Master keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_newest(self) -> CardMasterKey | None:
        """Return the one with the highest version."""
        row = self._connection.execute(_NEWEST).first()
        return None if row is None else CardMasterKey(version=row.version, sealed=row.sealed)

    def get(self, version: int) -> CardMasterKey:
        """Errors: KeyUnavailable when there is none of this version."""
        row = self._connection.execute(_BY_VERSION, {"of_version": version}).first()
        if row is None:
            raise KeyUnavailable(f"card master key {version}")
        return CardMasterKey(version=row.version, sealed=row.sealed)

    def add(self, master: CardMasterKey, created: datetime) -> None:
        """Errors: ChangedMeanwhile when another session added this version at the same moment."""
        row = {"version": master.version, "sealed": master.sealed, "created": created}
        if not _ADD.run(self._connection, [row]):
            raise ChangedMeanwhile("card master key")
