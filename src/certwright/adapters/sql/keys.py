"""Sealed keys and the authorities of this installation."""

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select

from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.tables import authorities, keys
from certwright.adapters.sql.upserts import insert_or_replace
from certwright.domain.keys import AuthorityRecord, SealedKey

_KEY = select(keys.c.name, keys.c.public, keys.c.sealed, keys.c.created).where(keys.c.name == bindparam("key_name"))
_SAVE_KEY = insert_or_replace(keys)
_DELETE_KEY = delete(keys).where(keys.c.name == bindparam("key_name"))
_AUTHORITIES = select(
    authorities.c.name,
    authorities.c.config_name,
    authorities.c.certificate,
    authorities.c.key_name,
    authorities.c.issuer_name,
)
_SAVE_AUTHORITY = insert_or_replace(authorities)


class SqlKeys:
    """Keys and authorities."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_key(self, name: str) -> SealedKey | None:
        """Return the key of this name."""
        row = self._connection.execute(_KEY, {"key_name": name}).first()
        return None if row is None else SealedKey(name=row.name, public=row.public, sealed=row.sealed, created=row.created)

    def save_key(self, key: SealedKey) -> None:
        """Store the key in place of one of the same name."""
        row = {"name": key.name, "public": key.public, "sealed": key.sealed, "created": key.created}
        _SAVE_KEY.run(self._connection, [row])

    def delete_keys(self, names: Iterable[str]) -> None:
        """Forget the keys of these names, as far as there are any."""
        rows = [{"key_name": each} for each in sorted(names)]
        if rows:
            self._connection.execute(_DELETE_KEY, rows)

    def list_authorities(self) -> tuple[AuthorityRecord, ...]:
        """Return all authorities by name."""
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

    def save_authority(self, authority: AuthorityRecord) -> None:
        """Store the authority in place of one of the same name."""
        row = {
            "name": authority.name,
            "config_name": authority.config_name,
            "certificate": authority.certificate,
            "key_name": authority.key_name,
            "issuer_name": authority.issuer_name,
        }
        _SAVE_AUTHORITY.run(self._connection, [row])
