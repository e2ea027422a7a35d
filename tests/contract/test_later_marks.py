"""Kinds of rows that got marks later: those of an installation from before are marked once, as they are found."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.sql.card_tables import smartcards
from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.key_tables import keys
from certwright.adapters.sql.marked_rows import MARKED_ROWS
from certwright.adapters.sql.row_marks import RowLedger, spell_mark, write_note
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.sql.tables import users
from certwright.bootstrap_keys import EVENT_MARKS, ROW_MARKS, keep_keys
from certwright.domain.events import ROWS, EventType, tell_of_program
from certwright.domain.keys import SealedKey
from worlds.authorities import KEK
from worlds.contoso import NOW, SUBSCRIBER
from worlds.estate import ROW_SECRET, SECRET, Estate, found_estate

FIRST = [each for each in MARKED_ROWS if each.since == 1]
LATER = [each for each in MARKED_ROWS if each.since > 1]


@dataclass(frozen=True)
class Old:
    """An estate of a program that marked fewer kinds, and what opens it."""

    estate: Estate
    store: SqlStore
    kek: Keyring

    def open(self) -> None:
        """Do what each start of the program does."""
        keep_keys(self.store, self.kek)

    def count_unmarked(self) -> int:
        return sum(
            len(self.estate.list_rows(select(each.table.c[each.mark]).where(each.table.c[each.mark].is_(None))))
            for each in LATER
        )


def open_unmarked(url: str) -> SqlStore:
    store = open_store(url, cipher=KEK)
    store.mark_with(EventMarker(SECRET))
    return store


def mark_as_before(estate: Estate) -> None:
    """Mark the rows of the first kinds, and tell of them, as the program did that had no others."""
    ledger, notes = RowLedger(ROW_SECRET), []
    for kind in FIRST:
        for row in estate.list_rows(select(kind.table)):
            mark = ledger.mark(kind, row)
            is_row = [kind.table.c[each] == row[each] for each in kind.key]
            estate.run(update(kind.table).where(*is_row).values({kind.mark: mark}))
            notes.append(write_note(kind.name, kind.name_key(row), spell_mark(mark or b"")))
    with estate.house.store.writing() as session:
        told = tell_of_program(EventType.STATE_MARKED, NOW)
        session.history.append([replace(told, details={ROWS: "; ".join(notes)})])


@pytest.fixture
def old(url: str) -> Iterator[Old]:
    version = Keyring(lambda: "a passphrase", lambda _: None).make_version(None, NOW)
    kek = Keyring(lambda: "a passphrase", lambda _: version)
    with found_estate(url, open_it=open_unmarked) as estate:
        mark_as_before(estate)
        with estate.house.store.writing() as session:
            session.keys.add_version(version)
            for name, secret in ((ROW_MARKS, ROW_SECRET), (EVENT_MARKS, SECRET + bytes(8))):
                session.keys.add_key(SealedKey(name=name, public=b"", sealed=kek.seal(secret, name), created=NOW))
        yield Old(estate, estate.house.store, kek)


def test_rows_from_before_are_marked_once_and_named(old: Old) -> None:
    before = old.count_unmarked()
    assert before == sum(len(old.estate.list_rows(select(each.table))) for each in LATER)
    old.open()
    assert old.count_unmarked() == 0
    report = old.estate.verify()
    told = f"{report.rows:,} rows as found when rows were first marked: what was done to them before is not proven"
    assert (report.faults, report.remarks) == ((), (told,))
    events = report.events + report.unsealed
    old.open()
    assert old.estate.verify().unsealed + report.events == events


def test_rows_that_were_marked_already_are_not_taken_as_they_are(old: Old) -> None:
    old.estate.run(update(users).where(users.c.id == SUBSCRIBER.user.id).values(email="another@contoso.com"))
    old.open()
    (fault,) = old.estate.verify().faults
    assert fault.startswith(f"user {SUBSCRIBER.user.id} ")
    assert "is not as this installation wrote it" in fault


def test_older_key_that_was_put_back_has_nothing_marked_unseen(old: Old) -> None:
    (before,) = old.estate.list_rows(select(keys).where(keys.c.name == ROW_MARKS))
    old.open()
    (card,) = old.estate.list_rows(select(smartcards))
    forged = card | {"number": card["number"] + 1, "id": uuid4(), "card_id": uuid4(), "mark": None}
    old.estate.run(
        delete(keys).where(keys.c.name == ROW_MARKS),
        insert(keys).values(before),
        insert(smartcards).values(forged),
    )
    old.open()
    (fault,) = old.estate.verify().faults
    assert "rows were marked as they were found, with a key that was made once more" in fault
