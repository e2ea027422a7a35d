"""SQLite when another process keeps its lock, or the disk is full: what is answered, and what is there afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from certwright.adapters.sql.sqlite import LOG_COMMITS
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.errors import StoreUnavailable
from worlds.holdings import make_event

PROGRAMS = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PROGRAMS.parent)}


@contextmanager
def lock_held_by_frozen_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """Let a process take the lock and be stopped, until the block ends or kills it."""
    words = [sys.executable, str(PROGRAMS / "lock_holder.py"), url.removeprefix("sqlite:///")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            holder.send_signal(signal.SIGSTOP)
            yield holder
        finally:
            holder.kill()


def append(store: SqlStore, comment: str) -> None:
    with store.writing() as session:
        session.history.append([make_event(comment)])


def list_comments(store: SqlStore) -> list[str]:
    with store.reading() as session:
        return [each.comment for each in session.history.list_unsealed(100_000)]


def test_frozen_process_that_holds_the_lock_keeps_others_from_writing_only(sqlite_url: str) -> None:
    opened_before = open_store(sqlite_url)
    append(opened_before, "before")
    with lock_held_by_frozen_process(sqlite_url) as holder:
        opened_meanwhile = open_store(sqlite_url)
        stores = (opened_before, opened_meanwhile)
        for each in stores:
            assert list_comments(each) == ["before"]
            with pytest.raises(StoreUnavailable, match="another program has kept its lock for more than 10 seconds"):
                append(each, "meanwhile")
        holder.kill()
        holder.wait()
        for number, each in enumerate(stores):
            append(each, f"after {number}")
            assert list_comments(each) == ["before", *(f"after {earlier}" for earlier in range(number + 1))]
    for each in stores:
        each.close()


def test_store_can_be_closed_while_a_frozen_process_holds_the_lock(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    append(store, "before")
    with lock_held_by_frozen_process(sqlite_url):
        store.close()
    again = open_store(sqlite_url)
    assert list_comments(again) == ["before"]
    again.close()


def test_transaction_that_was_committed_is_no_error_when_the_checkpoint_after_it_fails(sqlite_url: str) -> None:
    count = 2 * LOG_COMMITS
    words = [sys.executable, str(PROGRAMS / "full_disk.py"), sqlite_url, sqlite_url.removeprefix("sqlite:///"), str(count)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    promised = [each for each in done.stdout.splitlines() if each.startswith("event ")]
    assert len(promised) == count
    assert "database not checkpointed" in done.stderr + done.stdout, "no checkpoint failed: this test proves nothing"
    store = open_store(sqlite_url)
    assert [each for each in list_comments(store) if each.startswith("event ")] == promised
    store.close()
