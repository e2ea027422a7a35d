"""Whatever somebody does who can write to the database, without the sealing key, is found and named by its number."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, delete, insert, select, text, update

from certwright.adapters.checkpoints.file import CheckpointFile
from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.sql.tables import events, seals
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.application.world import World
from certwright.domain.events import Seal
from certwright.domain.sealing import digest_of, plan_seal
from worlds.authorities import make_key
from worlds.holdings import make_event
from worlds.house import found_house

KEY = HistorySealingKey(make_key(name="sealing-key"))
OTHER_KEY = HistorySealingKey(make_key(name="another-key"))
SEALED = (1, 2, 3, 5, 6, 8, 9, 10, 11)
"""Numbers have gaps where somebody took his change back."""
SEALS = ((1, 2, 3), (5, 6, 8), (9, 10, 11))

thorough = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class History:
    """A small sealed history, and the database's own tools on it."""

    world: World
    engine: Engine
    file: CheckpointFile
    events: list[dict[str, Any]]
    seals: list[dict[str, Any]]

    def verify(self) -> HistoryReport:
        return verify_history(world=self.world, key=KEY, read_checkpoints=self.file.read)

    @property
    def is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def told_of_counter(self, gone: str) -> tuple[str, ...]:
        """Return the fault of events at the end that are gone; PostgreSQL's counter proves nothing."""
        return () if self.is_postgresql else (f"{gone} are missing: the database has given numbers up to 11",)

    def run(self, *statements: Any) -> None:
        with self.engine.begin() as connection:
            for each in statements:
                connection.execute(each)

    def restore(self) -> None:
        self.run(delete(events), delete(seals), insert(events).values(self.events), insert(seals).values(self.seals))

    @contextmanager
    def tampered(self, *statements: Any) -> Iterator[tuple[str, ...]]:
        """Give out the faults that are found after *statements*, which are then undone."""
        self.run(*statements)
        try:
            yield self.verify().faults
        finally:
            self.restore()


def keep(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        return [dict(each._mapping) for each in connection.execute(select(table))]


@pytest.fixture
def history(store: SqlStore, url: str, tmp_path: Path) -> Iterator[History]:
    with made_history(store, url, tmp_path) as made:
        yield made


@pytest.fixture
def sqlite_history(sqlite_url: str, tmp_path: Path) -> Iterator[History]:
    """For what the types of PostgreSQL's columns do not let in."""
    with closing(open_store(sqlite_url)) as store, made_history(store, sqlite_url, tmp_path) as made:
        yield made


@contextmanager
def made_history(store: SqlStore, url: str, tmp_path: Path) -> Iterator[History]:
    file = CheckpointFile(tmp_path / "history.checkpoints")
    world = replace(found_house(store).world, checkpoints=(file,))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    for numbers in ((1, 2, 3), (4, 5, 6, 7, 8), (9, 10, 11)):
        with store.writing() as session:
            session.history.append(make_event(f"event {each}") for each in numbers)
        with engine.begin() as connection:
            connection.execute(delete(events).where(events.c.sequence.in_((4, 7))))
        assert seal_history(world=world, key=KEY) == 3
    yield History(world, engine, file, keep(engine, events), keep(engine, seals))
    engine.dispose()


def named(numbers: tuple[int, ...], faults: tuple[str, ...]) -> bool:
    """Return whether each of *numbers* is in a fault, by itself or in a range."""
    return all(any(is_about(number, each) for each in faults) for number in numbers)


def is_about(number: int, fault: str) -> bool:
    words = fault.replace(":", "").split()
    for place, word in enumerate(words):
        if word == "event" and int(words[place + 1]) == number:
            return True
        if word == "events" and int(words[place + 1]) <= number <= int(words[place + 3]):
            return True
    return False


def test_what_nobody_touched_has_no_fault(history: History) -> None:
    assert history.verify() == HistoryReport(events=9, seals=3, unsealed=0, checkpoints=3)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
CHANGES = st.one_of(
    st.fixed_dictionaries({"comment": TEXT}),
    st.fixed_dictionaries({"actor": TEXT}),
    st.fixed_dictionaries({"source": TEXT}),
    st.fixed_dictionaries({"details": st.sampled_from(['{"a":"b"}', "[]", "", '{"x":""}'])}),
    st.fixed_dictionaries({"type": st.sampled_from(["service.started", "request.denied", "nonsense"])}),
    st.fixed_dictionaries({"at": st.datetimes(timezones=st.just(UTC))}),
    st.fixed_dictionaries({"subject_id": st.uuids()}),
    st.fixed_dictionaries({"actor_id": st.uuids()}),
    st.fixed_dictionaries({"request_id": st.uuids()}),
)


@thorough
@given(number=st.sampled_from(SEALED), change=CHANGES)
def test_any_changed_event_is_named(history: History, number: int, change: dict[str, Any]) -> None:
    (before,) = [each for each in history.events if each["sequence"] == number]
    is_same = all(before[name] == value for name, value in change.items())
    with history.tampered(update(events).where(events.c.sequence == number).values(change)) as faults:
        assert bool(faults) != is_same
        assert is_same or [is_about(each, " ".join(faults)) for each in SEALED] == [each == number for each in SEALED]


@thorough
@given(numbers=st.sets(st.sampled_from(SEALED), min_size=1))
def test_any_removed_events_are_named(history: History, numbers: set[int]) -> None:
    with history.tampered(delete(events).where(events.c.sequence.in_(numbers))) as faults:
        assert all("missing" in each for each in faults)
        assert [number for number in range(20) if any(is_about(number, each) for each in faults)] == sorted(numbers)


@thorough
@given(number=st.sampled_from((-(2**40), -1, 0, 4, 7)), like=st.integers(0, 8))
def test_any_event_that_was_added_among_the_sealed_is_named(history: History, number: int, like: int) -> None:
    with history.tampered(insert(events).values(history.events[like] | {"sequence": number})) as faults:
        assert faults == (f"event {number} was added",)


@thorough
@given(pair=st.lists(st.sampled_from(SEALED), min_size=2, max_size=2, unique=True))
def test_any_two_events_that_changed_places_are_named(history: History, pair: list[int]) -> None:
    one, other = pair
    moves = [(one, 1_000), (other, one), (1_000, other)]
    changed = [update(events).where(events.c.sequence == old).values(sequence=new) for old, new in moves]
    with history.tampered(*changed) as faults:
        assert named((one, other), faults), faults
        assert all("changed" in each for each in faults)


SEAL_CHANGES = st.one_of(
    st.fixed_dictionaries({"number": st.integers(4, 2**40)}),
    st.fixed_dictionaries({"last_sequence": st.integers(12, 2**40)}),
    st.fixed_dictionaries({"digests": st.binary(max_size=120)}),
    st.fixed_dictionaries({"chain": st.binary(max_size=40)}),
    st.fixed_dictionaries({"signature": st.binary(max_size=80)}),
    st.fixed_dictionaries({"sealed_at": st.datetimes(timezones=st.just(UTC))}),
    st.fixed_dictionaries({"version": st.sampled_from([-1, 0, 1])}),
)


@thorough
@given(number=st.sampled_from((1, 2, 3)), change=SEAL_CHANGES)
def test_any_change_of_a_seal_is_found_and_the_seal_named(history: History, number: int, change: dict[str, Any]) -> None:
    with history.tampered(update(seals).where(seals.c.number == number).values(change)) as faults:
        assert any(each.startswith(f"seal {change.get('number', number)} ") for each in faults)


@thorough
@given(number=st.sampled_from((1, 2, 3)))
def test_any_removed_seal_is_found_and_its_events_named(history: History, number: int) -> None:
    with history.tampered(delete(seals).where(seals.c.number == number)) as faults:
        assert named(SEALS[number - 1], faults)


@pytest.mark.parametrize(
    ("seal", "end", "gone"), [(2, 8, "events 9 to 11"), (1, 3, "events 4 to 11"), (0, 0, "events 1 to 11")]
)
def test_the_newest_seals_cut_off_with_their_events_are_named(history: History, seal: int, end: int, gone: str) -> None:
    statements = [delete(events).where(events.c.sequence > end), delete(seals).where(seals.c.number > seal)]
    with history.tampered(*statements) as faults:
        told = f"{gone} were cut off: the checkpoints tell of seal 3, the history ends with event {end}"
        assert faults == (*history.told_of_counter(gone), told)


def test_that_there_are_no_checkpoints_is_said(history: History, tmp_path: Path) -> None:
    (tmp_path / "history.checkpoints").unlink()
    assert history.verify().faults == (
        "there are no checkpoints: nothing outside of the database tells how far the history goes",
    )


@pytest.mark.parametrize(("seals_left", "end"), [(2, 8), (1, 3)])
def test_an_end_that_was_cut_off_together_with_the_lines_of_the_checkpoints_shows_in_the_counter(
    history: History, tmp_path: Path, seals_left: int, end: int
) -> None:
    path = tmp_path / "history.checkpoints"
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:seals_left]))
    history.run(delete(events).where(events.c.sequence > end), delete(seals).where(seals.c.number > seals_left))
    report = history.verify()
    assert (report.faults, report.compared_to) == (history.told_of_counter(f"events {end + 1} to 11"), None)
    if history.is_postgresql:
        (remark,) = report.remarks
        assert remark.startswith(f"the history ends with event {end}, and the database has given numbers up to 11: ")
    compared = verify_history(world=history.world, key=KEY, read_copy=CheckpointFile(copy).read)
    assert f"events {end + 1} to 11 were cut off: the checkpoints tell of seal 3" in compared.faults[-1]


def test_a_counter_that_was_set_back_is_a_fault(history: History) -> None:
    sqlite, postgresql = "UPDATE sqlite_sequence SET seq = 4", "SELECT setval('events_sequence_seq', 4)"
    history.run(text(postgresql if history.is_postgresql else sqlite))
    assert history.verify().faults == ("the history ends with event 11, and the database has given numbers up to 4 only",)


def test_a_copy_from_elsewhere_says_how_far_it_goes(history: History, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text("".join((tmp_path / "history.checkpoints").read_text().splitlines(keepends=True)[:2]))
    report = verify_history(world=history.world, key=KEY, read_copy=CheckpointFile(copy).read)
    assert report == HistoryReport(events=9, seals=3, unsealed=0, checkpoints=2, compared_to=8)


def rewrite(history: History, key: HistorySealingKey) -> list[Any]:
    """Return what gives the history another comment in event 6, and makes every seal anew to fit."""
    statements: list[Any] = [update(events).where(events.c.sequence == 6).values(comment="another"), delete(seals)]
    previous: Seal | None = None
    for numbers, row in zip(SEALS, history.seals, strict=True):
        with history.world.store.reading() as session:
            digests = session.history.digest_between(numbers[0], numbers[-1]).digests
        previous = plan_seal(digests, previous, now=row["sealed_at"], sign=key.sign)
        packed = b"".join(number.to_bytes(8, "big") + digest for number, digest in digests)
        row_of = {"number": previous.number, "last_sequence": previous.last_sequence, "digests": packed}
        rest = {"chain": previous.chain, "signature": previous.signature, "sealed_at": row["sealed_at"], "version": 2}
        statements.append(insert(seals).values(row_of | rest))
    return statements


def test_a_chain_computed_anew_without_the_sealing_key_is_named(history: History) -> None:
    history.run(update(events).where(events.c.sequence == 6).values(comment="another"))
    with history.tampered(*rewrite(history, OTHER_KEY)) as faults:
        assert named(SEALED, tuple(each for each in faults if "not signed" in each))
        rewritten = [each for each in faults if "rewritten" in each]
        assert len(rewritten) == 1
        assert named((5, 6, 8, 9, 10, 11), tuple(rewritten))
        assert not is_about(3, rewritten[0])


def test_even_a_chain_computed_anew_with_the_sealing_key_is_not_what_the_checkpoints_say(history: History) -> None:
    history.run(update(events).where(events.c.sequence == 6).values(comment="another"))
    with history.tampered(*rewrite(history, KEY)) as faults:
        assert len(faults) == 1
        assert named((5, 6, 8, 9, 10, 11), faults)


def test_an_older_database_that_was_put_back_and_went_on_is_found(history: History) -> None:
    history.run(delete(events).where(events.c.sequence > 8), delete(seals).where(seals.c.number > 2))
    assert history.verify().faults == (
        *history.told_of_counter("events 9 to 11"),
        "events 9 to 11 were cut off: the checkpoints tell of seal 3, the history ends with event 8",
    )
    with history.world.store.writing() as session:
        session.history.append([make_event("after the restoration")])
    assert seal_history(world=history.world, key=KEY) == 1
    (fault,) = history.verify().faults
    assert fault == (
        "events 9 to 11: seal 3 is not what the checkpoints say; the history was rewritten, or an older database was restored"
    )


UNREADABLE_SEALS = [
    "digests = 7",
    "chain = 'text'",
    "signature = 1.5",
    "sealed_at = 'yesterday'",
    "digests = CAST(x'ff' AS TEXT)",
]


@pytest.mark.parametrize("change", UNREADABLE_SEALS)
def test_a_seal_that_was_made_unreadable_is_named_and_the_rest_is_proven(sqlite_history: History, change: str) -> None:
    with sqlite_history.tampered(text(f"UPDATE seals SET {change} WHERE number = 2")) as faults:
        told = "events 5 to 8: seal 2 is not there to be read, and the checkpoints tell of it"
        assert faults == ("seal 2 cannot be read", "events 4 to 8 are not proven", told)


def test_sealing_goes_on_after_a_seal_that_cannot_be_read(sqlite_history: History) -> None:
    history = sqlite_history
    history.run(text("UPDATE seals SET chain = 7 WHERE number = 3"))
    with history.world.store.writing() as session:
        session.history.append([make_event("later")])
    assert seal_history(world=history.world, key=KEY) == 1
    faults = history.verify().faults
    assert "seal 3 cannot be read" in faults
    assert not any("seal 4" in each for each in faults)


def test_seals_of_version_1_stay_proven_and_those_of_today_go_on_from_them(store: SqlStore) -> None:
    world = found_house(store).world
    with store.writing() as session:
        session.history.append([make_event("old")])
    with store.reading() as session:
        digests = session.history.digest_unsealed(10).digests
    plain = plan_seal(digests, None, now=world.clock.now(), sign=KEY.sign)
    with store.writing() as session:
        session.history.add_seal(replace(plain, version=1, signature=KEY.sign(plain.chain)))
        session.history.append([make_event("new")])
    assert seal_history(world=world, key=KEY) == 1
    assert verify_history(world=world, key=KEY) == HistoryReport(events=2, seals=2, unsealed=0)
    with store.reading() as session:
        assert [each.version for each in session.history.list_seals(0, 9) if isinstance(each, Seal)] == [1, 2]


# -- the file of checkpoints -------------------------------------------------------------------------------------------


def test_lines_of_checkpoints_that_were_changed_are_named_and_prove_nothing(history: History, tmp_path: Path) -> None:
    path = tmp_path / "history.checkpoints"
    first, second, third = path.read_text().splitlines()
    forged = second.replace('"chain":"', '"chain":"00')[: len(second)]
    other = second.replace('"chain":"' + second.split('"chain":"')[1][:8], '"chain":"00000000')
    path.write_text("\n".join([first, "nonsense", other, forged, third]) + "\n")
    assert history.verify().faults == (
        "line 2 of the checkpoints cannot be read",
        "line 3 of the checkpoints is not signed by the sealing key",
        "line 4 of the checkpoints cannot be read",
    )


def test_the_checkpoints_are_signed_statements_that_nobody_else_may_read(history: History, tmp_path: Path) -> None:
    path = tmp_path / "history.checkpoints"
    assert path.stat().st_mode & 0o777 == 0o600
    said = [each.checkpoint.statement for each in history.file.read() if each.checkpoint is not None]
    assert [(each.number, each.first, each.last, each.events) for each in said] == [(1, 1, 3, 3), (2, 5, 8, 3), (3, 9, 11, 3)]


def test_a_sealer_that_finds_nothing_new_writes_no_second_line(history: History, tmp_path: Path) -> None:
    again = replace(history.world, checkpoints=(CheckpointFile(tmp_path / "history.checkpoints"),))
    assert seal_history(world=again, key=KEY) == 0
    assert history.verify().checkpoints == 3


def test_digests_do_not_depend_on_the_way_in_which_events_are_read(store: SqlStore) -> None:
    with store.writing() as session:
        session.history.append(
            [
                make_event('"quoted" \\ and \x7f, \x1f, \b\f\n\r\t'),
                make_event("Grüße \U0001f600 \u2028"),
                make_event("", details={"b": "ü", "a": "\x7f", "": '"'}),
                make_event("", at=datetime(2026, 1, 1, tzinfo=UTC)),
                make_event("", at=datetime(2026, 1, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)),
            ]
        )
    with store.reading() as session:
        listed = session.history.list_unsealed(10)
        digested = session.history.digest_unsealed(10)
    assert digested.digests == tuple((each.sequence, digest_of(each)) for each in listed)
    assert digested.unreadable == ()
    assert all(len(digest) == sha256().digest_size for _, digest in digested.digests)
