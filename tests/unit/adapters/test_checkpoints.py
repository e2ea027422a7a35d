"""Checkpoints outside of the database: a file that is only appended to, and a receiver that may fail."""

import errno
import fcntl
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from certwright.adapters.checkpoints.file import CheckpointFile
from certwright.adapters.checkpoints.webhook import PAUSE, CheckpointWebhook
from certwright.domain.errors import CheckpointUnavailable, MalformedValue
from certwright.domain.events import Checkpoint
from certwright.formats.checkpoint_lines import encode_checkpoint, parse_checkpoint
from worlds.contoso import NOW
from worlds.holdings import make_seal
from worlds.system import await_that

FIRST, SECOND = (Checkpoint(make_seal(number, 2 * number, 2 * number + 1).statement, b"signature") for number in (1, 2))


def numbers(file: CheckpointFile) -> list[int | None]:
    return [each.checkpoint.statement.number if each.checkpoint else None for each in file.read()]


def test_a_line_says_what_the_checkpoint_says() -> None:
    assert parse_checkpoint(encode_checkpoint(FIRST)) == FIRST
    assert encode_checkpoint(FIRST) == (
        b'{"version":2,"number":1,"sealed":"2026-11-23T12:30:15.250000+00:00","events":2,"first":2,"last":3,'
        b'"chain":"' + b"00" * 32 + b'","signature":"c2lnbmF0dXJl"}\n'
    )


def test_a_line_from_before_lines_said_the_version_is_of_version_2() -> None:
    assert parse_checkpoint(encode_checkpoint(FIRST).replace(b'"version":2,', b"")) == FIRST
    newer = replace(FIRST, statement=replace(FIRST.statement, version=3))
    assert parse_checkpoint(encode_checkpoint(newer)) == newer


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"number":1', b'"number":"1"'),
        (b'"number":1', b'"number":true'),
        (b'"number":1,', b""),
        (b'"events":2', b'"events":2,"more":1'),
        (b"+00:00", b""),
        (b"+00:00", b"+01:00"),
        (b'"chain":"00', b'"chain":"0x'),
        (b"c2lnbmF0dXJl", b"c2lnbm F0dXJl"),
        (b'{"', b'["'),
        (b"{", b"{" * 100_000),
        (b"{", b"\xff"),
    ],
)
def test_what_is_no_line_of_ours_is_refused(before: bytes, after: bytes) -> None:
    with pytest.raises(MalformedValue):
        parse_checkpoint(encode_checkpoint(FIRST).replace(before, after))


def test_each_checkpoint_is_a_line_and_the_same_one_is_not_kept_twice(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "checkpoints")
    assert numbers(file) == []
    assert file.read_last() is None
    for each in (FIRST, FIRST, SECOND):
        file.write(each, NOW)
    assert numbers(file) == [1, 2]
    assert file.read_last() == SECOND
    assert not file.is_behind(SECOND, NOW)
    assert not CheckpointFile(tmp_path / "checkpoints").is_behind(SECOND, NOW)
    assert CheckpointFile(tmp_path / "checkpoints").is_behind(FIRST, NOW)


def test_a_line_that_a_crash_left_unfinished_stays_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    file = CheckpointFile(path)
    file.write(FIRST, NOW)
    path.write_bytes(path.read_bytes()[:-20])
    file.write(SECOND, NOW)
    assert numbers(file) == [None, 2]


def test_what_is_appended_while_the_file_is_read_is_not_read(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "checkpoints")
    file.write(FIRST, NOW)
    lines = file.read()
    file.write(SECOND, NOW)
    assert [each.number for each in lines] == [1]


def test_a_line_without_end_is_not_read_into_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    path.write_bytes(b"x" * 10_000)
    assert numbers(CheckpointFile(path)) == [None, None, None]


def test_a_place_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "missing" / "checkpoints")
    with pytest.raises(CheckpointUnavailable, match="No such file"):
        file.write(FIRST, NOW)
    assert file.is_behind(FIRST, NOW)
    (tmp_path / "missing").mkdir()
    file.write(FIRST, NOW)
    assert not file.is_behind(FIRST, NOW)
    assert numbers(file) == [1]


def test_half_a_line_is_taken_back_where_there_is_no_room_for_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    file = CheckpointFile(path)
    file.write(FIRST, NOW)
    before = path.read_bytes()
    with limited_size(len(before) + 30), pytest.raises(CheckpointUnavailable):
        file.write(SECOND, NOW)
    assert path.read_bytes() == before
    file.write(SECOND, NOW)
    assert numbers(file) == [1, 2]


@contextmanager
def limited_size(octets: int) -> Iterator[None]:
    """Let no file of this process become longer: the system then writes as much as fits, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Receiver:
    """A receiver of posts that answers what it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.is_open = True
        self.bodies: list[bytes] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/checkpoints"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.is_open = False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    if made.is_open:
        made.close()


def test_the_receiver_is_told_of_each_checkpoint_once(receiver: Receiver) -> None:
    webhook = CheckpointWebhook(receiver.url)
    assert webhook.is_behind(FIRST, NOW)
    webhook.write(FIRST, NOW)
    assert not webhook.is_behind(FIRST, NOW)
    assert webhook.is_behind(SECOND, NOW)
    webhook.write(SECOND, NOW)
    assert receiver.bodies == [encode_checkpoint(FIRST), encode_checkpoint(SECOND)]


def test_a_receiver_that_fails_is_left_alone_for_a_while_and_then_gets_the_newest(receiver: Receiver) -> None:
    webhook = CheckpointWebhook(receiver.url)
    receiver.status = 500
    with pytest.raises(CheckpointUnavailable, match="it answered 500"):
        webhook.write(FIRST, NOW)
    receiver.status = 200
    assert not webhook.is_behind(SECOND, NOW + PAUSE - timedelta(seconds=1))
    assert webhook.is_behind(SECOND, NOW + PAUSE)
    webhook.write(SECOND, NOW + PAUSE)
    assert receiver.bodies == [encode_checkpoint(FIRST), encode_checkpoint(SECOND)]


def test_nobody_at_the_address_is_told_as_such(receiver: Receiver) -> None:
    receiver.close()
    with pytest.raises(CheckpointUnavailable, match="refused"):
        CheckpointWebhook(receiver.url).write(FIRST, NOW)


def test_a_disk_without_room_is_told_by_its_name(tmp_path: Path) -> None:
    full = Path("/dev/full")
    assert full.exists()
    (tmp_path / "checkpoints").symlink_to(full)
    with pytest.raises(CheckpointUnavailable, match=os.strerror(errno.ENOSPC)):
        CheckpointFile(tmp_path / "checkpoints").write(replace(FIRST, signature=b"x"), NOW)


# -- a long file -------------------------------------------------------------------------------------------------------

LINES_A_DAY = 500
DAYS = 20
LIMIT = 1_000_000
LINE_OCTETS = 250


def make_line(number: int) -> Checkpoint:
    """Return one of 500 a day."""
    statement = replace(
        make_seal(number, 2 * number, 2 * number + 1).statement,
        sealed_at=NOW + timedelta(days=number // LINES_A_DAY, seconds=number % LINES_A_DAY),
    )
    return Checkpoint(statement, b"signature")


def write_long_file(path: Path) -> int:
    """Write all days but the last line, and return that line's number."""
    last = DAYS * LINES_A_DAY - 1
    path.write_bytes(b"".join(encode_checkpoint(make_line(each)) for each in range(last)))
    assert path.stat().st_size > LIMIT
    return last


def test_a_long_file_keeps_its_first_line_one_of_each_day_and_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    last = write_long_file(path)
    path.chmod(0o640)
    file = CheckpointFile(path, LIMIT)
    file.write(make_line(last), NOW)
    found = [each.checkpoint for each in file.read()]
    kept = [each.statement.number for each in found if each]
    newest = next(at for at in range(len(kept)) if kept[at:] == list(range(kept[at], last + 1)))
    ends_of_days = range(LINES_A_DAY - 1, kept[newest], LINES_A_DAY)
    # Of the day that is cut, the last line before the newest ones stays.
    assert kept[:newest] == sorted({0, *ends_of_days, *kept[:newest][-1:]})
    assert found == [make_line(each) for each in kept]
    octets = sum(len(encode_checkpoint(make_line(each))) for each in kept[newest:])
    assert abs(octets - LIMIT // 2) <= LINE_OCTETS
    assert file.read_last() == make_line(last)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_to_which_lines_are_added_for_ever_stays_short(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    file, limit = CheckpointFile(path, 20_000), 20_000
    longest = 0
    for number in range(3_000):
        file.write(make_line(number), NOW)
        longest = max(longest, path.stat().st_size)
    # Above the limit is what the lines of six days, which stay, leave to the newest ones.
    assert limit * 0.9 < longest < limit * 1.25
    assert numbers(file)[0] == 0
    assert numbers(file)[-1] == 2_999


def test_lines_that_cannot_be_read_stay_in_a_thinned_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    last = write_long_file(path)
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([whole[0], whole[1][:20] + b"\n", *whole[2:]]))
    file = CheckpointFile(path, LIMIT)
    file.write(make_line(last), NOW)
    assert numbers(file)[:3] == [0, None, LINES_A_DAY - 1]


def test_two_processes_that_thin_and_append_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    write_long_file(path)
    writers = [CheckpointFile(path, LIMIT), CheckpointFile(path, LIMIT)]
    begin = DAYS * LINES_A_DAY

    def write(writer: int) -> None:
        for number in range(begin + writer, begin + 200, 2):
            writers[writer].write(make_line(number), NOW)

    threads = [Thread(target=write, args=(each,)) for each in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    kept = numbers(writers[0])
    assert path.stat().st_size < LIMIT
    assert sorted(each for each in kept if each is not None and each >= begin) == list(range(begin, begin + 200))


def test_a_writer_that_waited_for_a_file_which_was_replaced_writes_into_the_new_one(tmp_path: Path) -> None:
    path, new = tmp_path / "checkpoints", tmp_path / "new"
    file = CheckpointFile(path)
    file.write(FIRST, NOW)
    with path.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        waiting = Thread(target=file.write, args=(SECOND, NOW))
        waiting.start()
        await_that(lambda: has_waiting_lock(path), "the writer does not wait for the lock")
        assert path.read_bytes() == encode_checkpoint(FIRST)
        new.write_bytes(path.read_bytes())
        new.replace(path)
    waiting.join()
    assert path.read_bytes() == encode_checkpoint(FIRST) + encode_checkpoint(SECOND)


def has_waiting_lock(path: Path) -> bool:
    """Return whether somebody waits for a lock on the file: such lines of the kernel have an arrow. Source: proc_locks(5)."""
    inode = f":{path.stat().st_ino} "
    lines = Path("/proc/locks").read_text("ascii").splitlines()
    return any("-> FLOCK" in line and inode in line for line in lines)


def test_who_reads_while_the_file_is_thinned_reads_the_lines_of_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    last = write_long_file(path)
    file = CheckpointFile(path, LIMIT)
    lines = file.read()
    file.write(make_line(last), NOW)
    assert [each.number for each in lines] == list(range(1, last + 1))


def test_a_file_that_cannot_be_replaced_goes_on_to_grow(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints"
    last = write_long_file(path)
    # A folder at the place of the draft is in the way for every account, root included.
    (tmp_path / ".checkpoints.draft").mkdir()
    file = CheckpointFile(path, LIMIT)
    for each in (last, last + 1):
        file.write(make_line(each), NOW)
    assert numbers(file) == list(range(last + 2))


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "elsewhere", tmp_path / "checkpoints"
    last = write_long_file(path)
    link.symlink_to(path)
    CheckpointFile(link, LIMIT).write(make_line(last), NOW)
    assert link.is_symlink()
    assert path.stat().st_size < LIMIT
    assert CheckpointFile(path).read_last() == make_line(last)
