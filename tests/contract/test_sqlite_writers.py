"""SQLite with many threads and several processes writing: nothing is lost, nothing fails, nothing waits for ever."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from certwright.adapters.sql.sqlite import LOG_COMMITS, LOG_OCTETS
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.errors import StoreUnavailable
from worlds.contoso import SUBSCRIBER
from worlds.holdings import ALICE, make_event, make_profile, start

TESTS = Path(__file__).parent.parent


@pytest.fixture
def lone_store(sqlite_url: str) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


def start_writer(url: str, name: str, threads: int, blocks: int) -> subprocess.Popen[str]:
    words = [sys.executable, str(TESTS / "contract" / "sqlite_writer.py"), url, name, str(threads), str(blocks)]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def list_comments(store: SqlStore) -> list[str]:
    with store.reading() as session:
        return [each.comment for each in session.history.list_unsealed(100_000)]


def check_database(url: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def record_words(store: SqlStore) -> list[str]:
    """Return a list into which everything is written that is said to SQLite from now on, savepoints and commits too."""
    words: list[str] = []
    driver = store.engines[1].raw_connection().driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_trace_callback(words.append)
    return words


def run_in_thread(act, *values: object) -> threading.Thread:
    thread = threading.Thread(target=act, args=values)
    thread.start()
    return thread


def wait_until_waiting(store: SqlStore, blocks: int) -> None:
    """Return when so many blocks wait for their turn."""
    group = store._transactions._group
    while len(group._waiting) < blocks:
        threading.Event().wait(0.002)


def test_several_processes_and_threads_write_at_once_and_nothing_is_lost(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    writers = [start_writer(sqlite_url, f"p{number}", threads=4, blocks=40) for number in range(3)]
    ours = [
        run_in_thread(lambda number=number: [append(store, f"us{number}.{each}") for each in range(40)]) for number in range(4)
    ]
    promised = []
    for writer in writers:
        said, complaints = writer.communicate(timeout=120)
        assert (writer.returncode, complaints) == (0, "")
        promised += said.split()
    for each in ours:
        each.join()
    promised += [f"us{number}.{each}" for number in range(4) for each in range(40)]
    assert len(promised) == 3 * 4 * 40 + 4 * 40
    found = list_comments(store)
    assert sorted(found) == sorted(
        2 * [each for each in promised if each[0] == "p"] + [each for each in promised if each[0] == "u"]
    )
    store.close()
    check_database(sqlite_url)


def append(store: SqlStore, *comments: str) -> None:
    with store.writing() as session:
        session.history.append([make_event(each) for each in comments])


def test_a_writer_that_is_killed_loses_nothing_that_it_promised(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    for number in range(3):
        writer = start_writer(sqlite_url, f"k{number}", threads=4, blocks=1_000_000)
        assert writer.stdout is not None
        promised = [writer.stdout.readline().strip() for _ in range(60)]
        append(store, f"while {number} writes")
        writer.send_signal(signal.SIGKILL)
        promised += writer.communicate(timeout=120)[0].split()
        assert writer.returncode == -signal.SIGKILL
        append(store, f"after {number}")
        found = list_comments(store)
        # The last line may have been cut short by the end.
        assert set(promised[:-1]) <= set(found)
        assert all(found.count(each) == 2 for each in set(found) if each[0] == "k"), "half of a transaction is there"
        assert {f"while {number} writes", f"after {number}"} <= set(found)
    store.close()
    check_database(sqlite_url)


def test_a_process_that_writes_without_pause_lets_others_write(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    writer = start_writer(sqlite_url, "busy", threads=4, blocks=1_000_000)
    assert writer.stdout is not None
    assert writer.stdout.readline()
    drain = run_in_thread(writer.stdout.read)
    try:
        for number in range(100):
            append(store, f"ours {number}")
        found = list_comments(store)
        first, last = found.index("ours 0"), found.index("ours 99")
        theirs = [each for each in found[first:last] if each.startswith("busy")]
        # Each of our hundred had to wait for at most a few of their groups.
        assert len(theirs) < 100 * 2 * 3 * 4
    finally:
        writer.kill()
        drain.join()
        writer.wait()
    store.close()


def test_blocks_that_wait_share_a_commit_and_nobody_returns_before_it(lone_store: SqlStore) -> None:
    words = record_words(lone_store)
    entered, go_on = threading.Event(), threading.Event()

    def lead() -> None:
        with lone_store.writing() as session:
            entered.set()
            go_on.wait(120)
            session.history.append([make_event("leader")])

    last_go_on = threading.Event()

    def trail() -> None:
        with lone_store.writing() as session:
            session.history.append([make_event("trailer")])
            last_go_on.wait(120)

    leader = run_in_thread(lead)
    assert entered.wait(120)
    followers = [run_in_thread(append, lone_store, f"follower {number}") for number in range(5)]
    wait_until_waiting(lone_store, 5)
    trailer = run_in_thread(trail)
    wait_until_waiting(lone_store, 6)
    go_on.set()
    leader.join(0.2)
    assert all(each.is_alive() for each in (leader, *followers)), "somebody came back before the commit"
    assert list_comments(lone_store) == []
    last_go_on.set()
    for each in (leader, *followers, trailer):
        each.join(120)
    assert len(list_comments(lone_store)) == 7
    assert [each for each in words if each in ("BEGIN IMMEDIATE", "COMMIT")] == ["BEGIN IMMEDIATE", "COMMIT"]


def test_a_group_is_bounded(lone_store: SqlStore) -> None:
    words = record_words(lone_store)
    entered, go_on = threading.Event(), threading.Event()

    def lead() -> None:
        with lone_store.writing():
            entered.set()
            go_on.wait(120)

    leader = run_in_thread(lead)
    assert entered.wait(120)
    followers = [run_in_thread(append, lone_store, str(number)) for number in range(40)]
    wait_until_waiting(lone_store, 40)
    go_on.set()
    for each in (leader, *followers):
        each.join(120)
    assert sorted(list_comments(lone_store), key=int) == [str(number) for number in range(40)]
    assert words.count("COMMIT") == 2


def test_a_block_that_fails_takes_back_only_its_own(lone_store: SqlStore) -> None:
    entered, go_on = threading.Event(), threading.Event()
    failures = []

    def lead() -> None:
        with lone_store.writing() as session:
            session.history.append([make_event("leader")])
            entered.set()
            go_on.wait(120)

    def fail() -> None:
        try:
            with lone_store.writing() as session:
                session.history.append([make_event("never")])
                raise KeyError
        except KeyError as failure:
            failures.append(failure)

    threads = [run_in_thread(lead)]
    assert entered.wait(120)
    for number, act in enumerate((fail, lambda: append(lone_store, "second"), fail), 1):
        threads.append(run_in_thread(act))
        wait_until_waiting(lone_store, number)
    go_on.set()
    for each in threads:
        each.join(120)
    assert list_comments(lone_store) == ["leader", "second"]
    assert len(failures) == 2


def test_when_the_commit_fails_everybody_in_the_group_hears_of_it(lone_store: SqlStore) -> None:
    start(lone_store)
    entered, go_on = threading.Event(), threading.Event()
    refusals = []

    def spoil() -> None:
        with suppress(StoreUnavailable):
            with lone_store.writing() as session:
                entered.set()
                go_on.wait(120)
                # From here to the commit, SQLite lets a reference to nothing pass.
                session.directory._connection.execute(text("PRAGMA defer_foreign_keys = ON"))
                session.profiles.add(make_profile(ALICE, template_version=404))
            return
        refusals.append("spoiler")

    def follow() -> None:
        try:
            append(lone_store, "lost")
        except StoreUnavailable as refusal:
            refusals.append(refusal)

    threads = [run_in_thread(spoil)]
    assert entered.wait(120)
    threads += [run_in_thread(follow) for _ in range(3)]
    wait_until_waiting(lone_store, 3)
    go_on.set()
    for each in threads:
        each.join(120)
    assert len(refusals) == 4
    assert list_comments(lone_store) == []
    append(lone_store, "afterwards")
    assert list_comments(lone_store) == ["afterwards"]


def test_a_full_disk_is_unavailable_and_the_store_goes_on_when_there_is_room(lone_store: SqlStore) -> None:
    append(lone_store, "before")
    with lone_store.engines[1].connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailable, match="disk is full"):
        append(lone_store, *("x" * 4_000 for _ in range(20)))
    with lone_store.engines[1].connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    append(lone_store, "afterwards")
    assert list_comments(lone_store) == ["before", "afterwards"]


def test_a_program_that_does_not_know_our_lock_makes_the_store_unavailable_for_a_while(
    lone_store: SqlStore, sqlite_url: str
) -> None:
    stranger = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with lone_store.engines[1].connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with pytest.raises(StoreUnavailable, match="another program"):
        append(lone_store, "no")
    stranger.execute("ROLLBACK")
    stranger.close()
    append(lone_store, "yes")
    assert list_comments(lone_store) == ["yes"]


def test_a_block_inside_a_block_is_a_bug_and_not_a_standstill(lone_store: SqlStore) -> None:
    with pytest.raises(RuntimeError, match="inside a writing block"), lone_store.writing(), lone_store.writing():
        pass
    append(lone_store, "afterwards")
    assert list_comments(lone_store) == ["afterwards"]


def test_who_is_interrupted_while_he_waits_holds_up_nobody(lone_store: SqlStore) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def lead() -> None:
        with lone_store.writing() as session:
            entered.set()
            go_on.wait(120)
            session.history.append([make_event("leader")])

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    leader = run_in_thread(lead)
    assert entered.wait(120)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            append(lone_store, "interrupted")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    follower = run_in_thread(append, lone_store, "follower")
    wait_until_waiting(lone_store, 1)
    go_on.set()
    leader.join(120)
    follower.join(120)
    assert list_comments(lone_store) == ["leader", "follower"]


def test_what_others_saw_of_a_lost_group_is_forgotten(lone_store: SqlStore) -> None:
    start(lone_store)
    with lone_store.writing() as session:
        session.directory.save_user(SUBSCRIBER.user)
    entered, go_on = threading.Event(), threading.Event()
    seen = []

    def change_and_spoil() -> None:
        with suppress(StoreUnavailable), lone_store.writing() as session:
            entered.set()
            go_on.wait(120)
            session.directory.replace_grants(())
            session.directory._connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            session.profiles.add(make_profile(ALICE, template_version=404))

    def look() -> None:
        with suppress(StoreUnavailable), lone_store.writing() as session:
            seen.append(session.directory.revision())
            session.directory.find_principal(SUBSCRIBER.user.id)

    threads = [run_in_thread(change_and_spoil)]
    assert entered.wait(120)
    threads.append(run_in_thread(look))
    wait_until_waiting(lone_store, 1)
    go_on.set()
    for each in threads:
        each.join(120)
    with lone_store.reading() as session:
        assert session.directory.revision() == seen[0] - 1
    assert lone_store._memory.at_revision(seen[0], 1).find_principal(SUBSCRIBER.user.id) is None


def test_closing_leaves_one_file_with_everything(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    store = open_store(sqlite_url)
    append(store, "kept")
    store.close()
    assert not path.with_name(path.name + "-wal").exists()
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    assert connection.execute("SELECT comment FROM events").fetchall() == [("kept",)]
    connection.close()


def test_commits_are_durable_and_references_are_checked(lone_store: SqlStore) -> None:
    with lone_store.engines[1].connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_long_log_is_brought_into_the_database_and_begins_anew(lone_store: SqlStore, sqlite_url: str) -> None:
    log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
    lengths = []
    for _ in range(30):
        append(lone_store, *("x" * 4_000 for _ in range(200)))
        lengths.append(log.stat().st_size)
    assert max(lengths) <= LOG_OCTETS
    assert any(after < before for before, after in pairwise(lengths))
    assert len(list_comments(lone_store)) == 30 * 200


def test_a_log_that_is_not_long_is_written_over_and_keeps_its_length(lone_store: SqlStore, sqlite_url: str) -> None:
    log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
    for _ in range(2 * LOG_COMMITS):
        append(lone_store, "x" * 4_000)
    length = log.stat().st_size
    for _ in range(4 * LOG_COMMITS):
        append(lone_store, "x" * 4_000)
    assert length <= log.stat().st_size < 2 * length
    assert len(list_comments(lone_store)) == 6 * LOG_COMMITS


def test_a_reader_that_takes_long_keeps_nobody_from_writing_and_sees_its_own_moment(
    lone_store: SqlStore, sqlite_url: str
) -> None:
    log = Path(f"{sqlite_url.removeprefix('sqlite:///')}-wal")
    append(lone_store, "first")
    with lone_store.reading() as session:
        assert len(session.history.list_unsealed(10)) == 1
        while log.stat().st_size <= LOG_OCTETS:
            append(lone_store, *("x" * 4_000 for _ in range(200)))
        append(lone_store, "last")
        assert len(session.history.list_unsealed(10)) == 1
    for _ in range(8):
        append(lone_store, *("x" * 4_000 for _ in range(200)))
    assert log.stat().st_size < LOG_OCTETS
