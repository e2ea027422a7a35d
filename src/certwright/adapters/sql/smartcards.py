"""Smart cards, changed by compare-and-set."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, false, or_, select, update

from certwright.adapters.sql.card_tables import card_visits, smartcards
from certwright.adapters.sql.marked_rows import SMARTCARDS
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.profile_spans import in_span, span_values
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.tables import profiles
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.domain.admin_keys import AdminKey, AdminKeys, name_imported_key
from certwright.domain.errors import ChangedMeanwhile, SmartcardNotFound
from certwright.domain.identities import UserId
from certwright.domain.keys import SealedPart
from certwright.domain.profiles import Profile, ProfileId
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import CardId, Smartcard, SmartcardFlags, SmartcardId, SmartcardStatus

_CARD = tuple(each for each in smartcards.c if each.name != "number")
_ADD = insert_unless_taken(smartcards)
_BY_ID = select(*_CARD).where(smartcards.c.id == bindparam("smartcard_id"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
_LAST = select(*_CARD).where(smartcards.c.card_id == bindparam("of_card")).order_by(smartcards.c.number.desc()).limit(1)
_OF_PROFILE = select(*_CARD).where(smartcards.c.profile_id == bindparam("of_profile"))
_OF_PROFILES = select(*_CARD).join(profiles, profiles.c.id == smartcards.c.profile_id).where(in_span())
_WRITTEN_ONCE = ("id", "card_id")
_CHANGEABLE = tuple(each.name for each in _CARD if each.name not in _WRITTEN_ONCE)
_CHANGE = (
    update(smartcards)
    .where(smartcards.c.id == bindparam("of_smartcard"), smartcards.c.status == bindparam("from_status"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)

_VISIT = insert_unless_taken(card_visits)
_COUNT = (
    update(card_visits)
    .where(card_visits.c.request_id == bindparam("of_request"), card_visits.c.challenges < bindparam("limit"))
    .values(challenges=card_visits.c.challenges + 1)
)

_KEYS_ENCODER = msgspec.json.Encoder()
_KEYS_DECODER = msgspec.json.Decoder(AdminKeys)


class SqlSmartcards:
    """Smart cards."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def add(self, card: Smartcard) -> None:
        """Store a new card, or a new assignment of one. Errors: ChangedMeanwhile when the card is in other hands."""
        row = self._row(card)
        if not _ADD.run(self._connection, [row]):
            raise ChangedMeanwhile("smart card")
        self._ledger.note(SMARTCARDS, row)

    def get(self, smartcard_id: SmartcardId) -> Smartcard:
        """Errors: SmartcardNotFound."""
        return self._get(_BY_ID, smartcard_id)

    def get_locked(self, smartcard_id: SmartcardId) -> Smartcard:
        """Return the card, which nobody else changes until this session has ended. Errors: SmartcardNotFound."""
        return self._get(_BY_ID_LOCKED, smartcard_id)

    def find_last(self, card_id: CardId) -> Smartcard | None:
        """Return the last assignment of the card, or what is known of it in stock."""
        row = self._connection.execute(_LAST, {"of_card": card_id}).first()
        return None if row is None else self._read(row)

    def find_of_profile(self, profile_id: ProfileId) -> Smartcard | None:
        """Return the card that the profile is on."""
        row = self._connection.execute(_OF_PROFILE, {"of_profile": profile_id}).first()
        return None if row is None else self._read(row)

    def list_page(
        self,
        *,
        owner_id: UserId | None = None,
        statuses: frozenset[SmartcardStatus] | None = None,
        after: SmartcardId | None = None,
        limit: int,
    ) -> tuple[Smartcard, ...]:
        """Return them newest first."""
        wanted = frozenset(SmartcardStatus) if statuses is None else statuses
        statement = _list_with(wanted, is_of_one=owner_id is not None, has_after=after is not None)
        values = {"of_owner": owner_id, "after": after, "most": limit}
        return tuple(self._read(row) for row in self._connection.execute(statement, values))

    def list_of_profiles(self, page: Sequence[Profile]) -> tuple[Smartcard, ...]:
        """Return the cards that the profiles of a page are on."""
        return tuple(self._read(row) for row in self._connection.execute(_OF_PROFILES, span_values(page)))

    def change(self, card: Smartcard, *, from_status: SmartcardStatus) -> None:
        """Store *card* if its status is still *from_status*. Errors: ChangedMeanwhile."""
        row = self._row(card)
        values = {name: row[name] for name in _CHANGEABLE}
        keys = {"of_smartcard": card.id, "from_status": int(from_status)}
        if self._connection.execute(_CHANGE, values | keys).rowcount != 1:
            raise ChangedMeanwhile("smart card")
        self._ledger.note(SMARTCARDS, row)

    def count_challenge(self, request_id: RequestId, limit: int) -> bool:
        """Count one challenge more for the request unless it is at its *limit*, and return whether it was counted."""
        _VISIT.run(self._connection, [{"request_id": request_id, "challenges": 0}])
        return self._connection.execute(_COUNT, {"of_request": request_id, "limit": limit}).rowcount == 1

    def _row(self, card: Smartcard) -> dict[str, Any]:
        row = _row(card)
        return row | {"mark": self._ledger.mark(SMARTCARDS, row)}

    def _read(self, row: Row) -> Smartcard:
        self._ledger.check(SMARTCARDS, row)
        return _read(row)

    def _get(self, statement: Select[Any], smartcard_id: SmartcardId) -> Smartcard:
        row = self._connection.execute(statement, {"smartcard_id": smartcard_id}).first()
        if row is None:
            raise SmartcardNotFound(smartcard_id)
        return self._read(row)


@cache
def _list_with(statuses: frozenset[SmartcardStatus], *, is_of_one: bool, has_after: bool) -> Select[Any]:
    """Return the one statement for these statuses: `Connection.execute` keeps what it compiles for each."""
    wanted = or_(*(smartcards.c.status == each for each in sorted(map(int, statuses))), false())
    listed = select(*_CARD).where(wanted).order_by(smartcards.c.number.desc()).limit(bindparam("most"))
    if has_after:
        earlier = smartcards.alias("earlier")
        after = select(earlier.c.number).where(earlier.c.id == bindparam("after")).scalar_subquery()
        listed = listed.where(smartcards.c.number < after)
    return listed.where(smartcards.c.owner_id == bindparam("of_owner")) if is_of_one else listed


def _row(card: Smartcard) -> dict[str, Any]:
    return {
        "id": card.id,
        "card_id": card.card_id,
        "status": int(card.status),
        "flags": int(card.flags),
        "owner_id": card.owner_id,
        "template_id": card.template_id,
        "template_version": card.template_version,
        "profile_id": card.profile_id,
        "parent_id": card.parent_id,
        "primary_id": card.primary_id,
        "permanent_id": card.permanent_id,
        "comment": card.comment,
        "middleware": card.middleware,
        "atr": card.atr,
        "admin_keys": _KEYS_ENCODER.encode(card.admin_keys).decode(),
        "sealed_pin": card.sealed_pin,
        "activated": card.activated,
    }


def list_sealed_admin_keys(card_id: CardId, admin_keys: str) -> tuple[SealedPart, ...]:
    """Return the sealed keys in what the column *admin_keys* of a card holds."""
    keys = _KEYS_DECODER.decode(admin_keys)
    return tuple(
        SealedPart(name_imported_key(card_id), sealed) for each in _list_keys(keys) if (sealed := each.sealed) is not None
    )


def replace_sealed_admin_keys(admin_keys: str, parts: Sequence[SealedPart]) -> str:
    """Return *admin_keys* with *parts* in place of the sealed keys, which are as many."""
    sealed = iter(parts)
    keys = _KEYS_DECODER.decode(admin_keys)
    again = [replace(each, sealed=next(sealed).sealed) if each.sealed is not None else each for each in _list_keys(keys)]
    replaced = replace(keys, held=again[0], offered=again[1] if keys.offered else None)
    return _KEYS_ENCODER.encode(replaced).decode()


def _list_keys(keys: AdminKeys) -> list[AdminKey]:
    return [keys.held, keys.offered] if keys.offered else [keys.held]


def _read(row: Row) -> Smartcard:
    return Smartcard(
        id=row.id,
        card_id=row.card_id,
        status=SmartcardStatus(row.status),
        flags=SmartcardFlags(row.flags),
        owner_id=row.owner_id,
        template_id=row.template_id,
        template_version=row.template_version,
        profile_id=row.profile_id,
        parent_id=row.parent_id,
        primary_id=row.primary_id,
        permanent_id=row.permanent_id,
        comment=row.comment,
        middleware=row.middleware,
        atr=row.atr,
        admin_keys=_KEYS_DECODER.decode(row.admin_keys),
        sealed_pin=row.sealed_pin,
        activated=row.activated,
    )
