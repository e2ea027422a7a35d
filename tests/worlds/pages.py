"""Pages of the documentation, done by a reader: block by block, in one terminal, beside a server that runs."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from termios import tcsetwinsize

from worlds.commands import TIMEOUT_SECONDS
from worlds.served import PASSWORD

TABLE = re.compile(r"^(\[\[?[\w.]+\]?\])\n(.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
REPOSITORY = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent>[ ]*)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
COMMANDS = {"sh", "console", "powershell"}
"""Languages of blocks that a reader types into a terminal."""
PASSED_OVER = {
    ("README.md", "apt install"): "installs packages on the machine; these tests run where they are installed",
    ("README.md", "git clone"): "clones and installs; what `make run` does then is done by the test of the README",
    ("README.md", "make test"): "runs these tests, and measurements for minutes",
    ("docs/tutorial/first-certificate.md", "make run"): "does what the page goes on to do one by one",
    ("docs/tutorial/first-certificate.md", "make .venv"): "installs once more; its other commands are run by the test",
    ("docs/tutorial/first-certificate.md", "certwright serve"): "runs until Ctrl-C: the test runs it beside the reader",
    ("docs/how-to/run-in-production.md", "pip install"): "installs the program a second time, from the network",
    ("docs/how-to/run-in-production.md", "VACUUM INTO"): "done by the test of backups, while people enroll",
    ("docs/how-to/run-in-production.md", "pg_dump"): "done by the test of backups, while people enroll",
    ("docs/how-to/run-in-production.md", "pg_restore"): "done by the test of backups, with a server afterwards",
    ("docs/how-to/run-in-production.md", "systemctl"): "needs a machine whose first process is systemd",
    ("docs/how-to/run-in-production.md", "certwright.db-wal"): "done by the test of backups, with a server afterwards",
    ("docs/how-to/run-in-production.md", "checkpoints.before"): "done by the test of backups, with a proof afterwards",
    ("docs/how-to/move-the-passphrase.md", "systemd-creds"): "writes the key of the machine, and needs one or a TPM",
    ("docs/how-to/move-the-passphrase.md", "systemd-run"): "needs a machine whose first process is systemd",
}
"""Blocks of commands that a reader does not type here, by page and by what they hold, and why."""
NEW_PASSWORD = f"{PASSWORD} and another staple"
QUESTIONS = (
    (re.compile(r"^New password: ?$", re.MULTILINE), NEW_PASSWORD),
    (re.compile(r"(confirmation|again): ?$"), ""),
    (re.compile(r"(password|pass phrase)[^\n]*: ?$", re.IGNORECASE), PASSWORD),
    (re.compile(r"\[y/N\]: ?$"), "y"),
)
"""How a line ends that waits for an answer, and what the reader types; nothing stands for the last answer again."""
LOOP = 'set -u -o pipefail; while read -r -u {read} flag block; do set "$flag"e; . "$block"; echo $? >&{write}; done'
LOOK = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
"""How terminals are made to show colours."""
VOLATILE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9A-F]{40}\b|\d{4}-\d\d-\d\d|\b\d\d:\d\d\b|\b\d{4,5}\b"
    r"|(?<=Password   )\w{16}"
)
"""What differs from run to run: identifiers, serial numbers, dates, times, ports, passwords."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a page."""

    language: str
    text: str


def read_blocks(page: Path) -> tuple[Block, ...]:
    """Return the blocks of the page in its order, without what indents them."""
    return tuple(
        Block(found["language"], re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE))
        for found in FENCE.finditer(page.read_text("utf-8"))
    )


class Terminal:
    """A shell on a terminal. What asks for a password is given the one that all people here have."""

    def __init__(self, folder: Path, scripts: Path) -> None:
        self._scripts, self._count = scripts, 0
        read, self._words = os.pipe()
        self._ends, write = os.pipe()
        self._terminal, theirs = pty.openpty()
        tcsetwinsize(theirs, (50, 120))
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-c", LOOP.format(read=read, write=write)],
            cwd=folder,
            env={**os.environ, **_VARIABLES},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            pass_fds=(read, write),
            start_new_session=True,
        )
        for each in (read, write, theirs):
            os.close(each)

    def run(self, text: str, *, typed: str = "", must_do: bool = True) -> tuple[int, str]:
        """Return the exit status of the last command and what the terminal shows; the first that fails is an error, if it
        *must_do*. What is *typed* is there before anything asks for it.
        """
        self._count += 1
        script = self._scripts / f"block-{self._count}.sh"
        script.write_text(text)
        os.write(self._terminal, typed.encode())
        os.write(self._words, f"{'-' if must_do else '+'} {script}\n".encode())
        told, asked_from, last = "", 0, ""
        while True:
            ready, _, _ = select.select([self._terminal, self._ends], [], [], TIMEOUT_SECONDS)
            assert ready, f"nothing happens any more: {text}\n{told}"
            shown = _read(self._terminal) if self._terminal in ready else ""
            if shown:
                told += LOOK.sub("", shown).replace("\r\n", "\n")
                answers = [answer or last for question, answer in QUESTIONS if question.search(told[asked_from:])]
                if answers:
                    asked_from, last = len(told), answers[0]
                    os.write(self._terminal, f"{last}\n".encode())
            elif status := os.read(self._ends, 100).decode():
                return int(status), told
            else:
                raise AssertionError(f"this failed:\n{text}\nand showed:\n{told}")

    def close(self) -> None:
        """End the shell."""
        os.close(self._words)
        self._process.wait(TIMEOUT_SECONDS)
        os.close(self._terminal)
        os.close(self._ends)


_VARIABLES = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "no_proxy": "localhost",
    "TERM": "xterm",
}


def _read(terminal: int) -> str:
    """Return what came since; nothing once the shell has ended, which Linux says with an error."""
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:
        return ""


@dataclass
class Reader:
    """Somebody who does a page from its first block to its last. Shape: *places* is what the page's placeholders, paths and
    ports are here; *shown*, what the last command showed.
    """

    page: Path
    folder: Path
    terminal: Terminal
    places: dict[str, str] = field(default_factory=dict)
    _blocks: list[Block] = field(default_factory=list)

    def take(self, language: str, says: str) -> str:
        """Return the text of the next block, of that *language* and no commands, for the test to use."""
        assert language not in COMMANDS, f"commands are run, or passed over: {says}"
        return self._next(language, says)

    def pass_over(self, says: str) -> str:
        """Return the text of the next block, of commands for which there is a reason not to run them."""
        assert (str(self.page.relative_to(REPOSITORY)), says) in PASSED_OVER
        return self._next("sh", says)

    def _next(self, language: str, says: str) -> str:
        """Return the text of the next block, which has to be of that *language* and hold what it *says*."""
        assert self._blocks, f"{self.page} has no block {says!r} any more"
        block = self._blocks.pop(0)
        assert (block.language, says in block.text) == (language, True), f"next in {self.page}, before {says!r}:\n{block.text}"
        return self.fill(block.text)

    def fill(self, text: str) -> str:
        """Return the text as it is typed here."""
        for name, here in self.places.items():
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", lambda _, here=here: here, text)
        return text

    def run(self, says: str, *, typed: str = "", status: int | None = None) -> str:
        """Return what the next block of commands shows. All have to succeed; with a *status*, the last one has to end so."""
        ended, told = self.terminal.run(self._next("sh", says), typed=typed, must_do=status is None)
        assert ended == (status or 0), told
        return told

    def see(self, told: str, *, language: str = "text", says: str = "") -> None:
        """Compare the next block, line by line, with what was told: the same lines in their order, others may be between."""
        lines = iter(told.splitlines())
        for line in filter(str.strip, self.take(language, says).splitlines()):
            pattern = _make_pattern(line)
            if line.strip() != "...":
                assert any(pattern.fullmatch(each.rstrip()) for each in lines), f"not in this order: {line}\n{told}"

    def settle(self, settings: Path, says: str) -> None:
        """Write the next block, settings, into the file, as the page says: each under the line of its table."""
        put_settings(settings, self.take("toml", says))

    def finish(self) -> None:
        """See that the page has no further block, and that its reader has left no private key that others may read."""
        assert self._blocks == [], f"{self.page} goes on:\n{self._blocks[0].text}"
        assert list_keys_for_all(self.folder) == []


def list_keys_for_all(folder: Path) -> list[Path]:
    """Return the files with private keys in and under *folder* that their owner alone should read, and others may."""
    return [each for each in folder.rglob("*") if each.is_file() and _is_key_for_all(each)]


def _is_key_for_all(file: Path) -> bool:
    # A running server removes files of its own while this looks at them.
    with suppress(FileNotFoundError):
        is_key = file.suffix in {".p12", ".pfx"} or b"PRIVATE KEY" in file.read_bytes()
        return is_key and file.stat().st_mode & 0o077 != 0
    return False


def put_settings(settings: Path, values: str) -> None:
    """Write the values into the file, each under the line of its table and in the place of a line that says otherwise; a table
    that is not there comes at the end.
    """
    text = settings.read_text()
    for header, lines in TABLE.findall(values):
        before, _, rest = text.partition(f"\n{header}\n")
        table, further = _split_table(rest)
        for key in re.findall(r"^\w+ = ", lines, re.MULTILINE):
            table = re.sub(rf"^{re.escape(key)}.*\n", "", table, flags=re.MULTILINE)
        text = f"{before}\n{header}\n{lines.rstrip()}\n{table}{further}"
    settings.write_text(text)


def _split_table(text: str) -> tuple[str, str]:
    """Return the lines up to the next table, and those from it on."""
    following = re.search(r"^\[", text, re.MULTILINE)
    end = following.start() if following else len(text)
    return text[:end], text[end:]


def _make_pattern(line: str) -> re.Pattern[str]:
    """Return what matches the line with other identifiers, and with more at its end where it ends with dots."""
    line, dots, _ = line.rstrip().partition(" ...")
    parts, at = [], 0
    for found in VOLATILE.finditer(line):
        parts += [re.escape(line[at : found.start()]), r"[\w:.-]+"]
        at = found.end()
    return re.compile("".join(parts) + re.escape(line[at:]) + (".*" if dots else ""))


@contextmanager
def reading(page: str, folder: Path, places: dict[str, str], scripts: Path) -> Iterator[Reader]:
    """Give a reader of the page in *folder*, who has to come to its end."""
    path = REPOSITORY / page
    terminal = Terminal(folder, scripts)
    try:
        reader = Reader(path, folder, terminal, places, list(read_blocks(path)))
        yield reader
        reader.finish()
    finally:
        terminal.close()
