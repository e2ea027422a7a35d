"""Sealed keys and the authorities of this installation."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, update

from certwright.adapters.sql.key_tables import authorities, key_versions, keys
from certwright.adapters.sql.marked_rows import AUTHORITIES
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.upserts import insert_or_replace, insert_unless_taken
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.keys import AuthorityRecord, KeyVersion, SealedKey

_KEY = select(keys.c.name, keys.c.public, keys.c.sealed, keys.c.created).where(keys.c.name == bindparam("key_name"))
_SAVE_KEY = insert_or_replace(keys)
_ADD_KEY = insert_unless_taken(keys)
_REPLACE_KEY = (
    update(keys)
    .where(keys.c.name == bindparam("key_name"), keys.c.sealed == bindparam("before"))
    .values(sealed=bindparam("now_sealed"))
)
_DELETE_KEY = delete(keys).where(keys.c.name == bindparam("key_name"))
_AUTHORITIES = select(
    authorities.c.name,
    authorities.c.config_name,
    authorities.c.certificate,
    authorities.c.key_name,
    authorities.c.issuer_name,
    authorities.c.mark,
)
_SAVE_AUTHORITY = insert_or_replace(authorities)
_VERSIONS = select(key_versions.c.number, key_versions.c.wrapped, key_versions.c.created).order_by(key_versions.c.number)
_VERSIONS_LOCKED = _VERSIONS.with_for_update()
_VERSION = select(key_versions.c.number, key_versions.c.wrapped, key_versions.c.created).where(
    key_versions.c.number == bindparam("version")
)
_NEWEST = (
    select(key_versions.c.number, key_versions.c.wrapped, key_versions.c.created)
    .order_by(key_versions.c.number.desc())
    .limit(1)
)
_ADD_VERSION = insert_unless_taken(key_versions)
_WRAP = update(key_versions).where(key_versions.c.number == bindparam("version")).values(wrapped=bindparam("wrapped"))


class SqlKeys:
    """Keys and authorities."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def find_key(self, name: str) -> SealedKey | None:
        """Return the key of this name."""
        row = self._connection.execute(_KEY, {"key_name": name}).first()
        return None if row is None else SealedKey(name=row.name, public=row.public, sealed=row.sealed, created=row.created)

    def save_key(self, key: SealedKey) -> None:
        """Store the key in place of one of the same name."""
        _SAVE_KEY.run(self._connection, [_key_row(key)])

    def add_key(self, key: SealedKey) -> None:
        """Store a new key. Errors: ChangedMeanwhile when its name is taken."""
        if not _ADD_KEY.run(self._connection, [_key_row(key)]):
            raise ChangedMeanwhile(f"key {key.name}")

    def replace_key(self, key: SealedKey, before: SealedKey) -> None:
        """Store the key in place of the one before. Errors: ChangedMeanwhile when that is there no more."""
        values = {"key_name": before.name, "before": before.sealed, "now_sealed": key.sealed}
        if self._connection.execute(_REPLACE_KEY, values).rowcount != 1:
            raise ChangedMeanwhile(f"key {key.name}")

    def delete_keys(self, names: Iterable[str]) -> None:
        """Forget the keys of these names, as far as there are any."""
        rows = [{"key_name": each} for each in sorted(names)]
        if rows:
            self._connection.execute(_DELETE_KEY, rows)

    def list_authorities(self) -> tuple[AuthorityRecord, ...]:
        """Return all authorities by name, whatever their marks: nothing can be opened and proven without them."""
        found = [
            AuthorityRecord(
                name=row.name,
                config_name=row.config_name,
                certificate=row.certificate,
                key_name=row.key_name,
                issuer_name=row.issuer_name,
            )
            for row in self._connection.execute(_AUTHORITIES)
        ]
        # Sorted here, because databases differ in the order of letters.
        return tuple(sorted(found, key=lambda each: each.name))

    def check_authorities(self) -> None:
        """Raise unless every authority has its mark. Errors: StoredRowAltered."""
        for row in self._connection.execute(_AUTHORITIES):
            self._ledger.check(AUTHORITIES, row)

    def save_authority(self, authority: AuthorityRecord) -> None:
        """Store the authority in place of one of the same name."""
        row: dict[str, Any] = {
            "name": authority.name,
            "config_name": authority.config_name,
            "certificate": authority.certificate,
            "key_name": authority.key_name,
            "issuer_name": authority.issuer_name,
        }
        row["mark"] = self._ledger.mark(AUTHORITIES, row)
        _SAVE_AUTHORITY.run(self._connection, [row])
        self._ledger.note(AUTHORITIES, row)

    def find_version(self, number: int | None = None) -> KeyVersion | None:
        """Return the version of the key-encryption key, or the newest."""
        found = self._list(_NEWEST) if number is None else self._list(_VERSION, version=number)
        return found[0] if found else None

    def list_versions(self) -> tuple[KeyVersion, ...]:
        """Return all versions, ascending."""
        return self._list(_VERSIONS)

    def list_versions_locked(self) -> tuple[KeyVersion, ...]:
        """Return all versions, ascending, which nobody else changes until this session has ended."""
        return self._list(_VERSIONS_LOCKED)

    def add_version(self, version: KeyVersion) -> None:
        """Store a new version. Errors: ChangedMeanwhile when its number is taken."""
        row = {"number": version.number, "wrapped": version.wrapped, "created": version.created}
        if not _ADD_VERSION.run(self._connection, [row]):
            raise ChangedMeanwhile("key-encryption key")

    def wrap_version_anew(self, version: KeyVersion) -> None:
        """Store another wrapping of a version that is there."""
        self._connection.execute(_WRAP, {"version": version.number, "wrapped": version.wrapped})

    def _list(self, statement: Select[Any], **values: int) -> tuple[KeyVersion, ...]:
        rows = self._connection.execute(statement, values)
        return tuple(KeyVersion(number=row.number, wrapped=row.wrapped, created=row.created) for row in rows)


def _key_row(key: SealedKey) -> dict[str, Any]:
    return {"name": key.name, "public": key.public, "sealed": key.sealed, "created": key.created}
