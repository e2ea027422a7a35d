"""What the system knows of a process, as anybody can look it up under /proc; and waiting until something is so."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

PATIENCE_SECONDS = 120


def await_that(is_so: Callable[[], object], what: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when it is so; *what* says what did not happen when it never is."""
    deadline = monotonic() + patience_seconds
    while not is_so():
        assert monotonic() < deadline, what
        sleep(0.01)


def is_there(pid: int) -> bool:
    """Return whether the process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def list_children(pid: int) -> list[int]:
    """Return the processes that this one has started, and that have not ended."""
    children = [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()]
    return [each for each in children if is_there(each)]


def count_threads(pid: int) -> int:
    """Return how many threads it has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def list_open(pid: int) -> list[str]:
    """Return what its file descriptors stand for: paths, and ``socket:[inode]``."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except FileNotFoundError:
            # Closed since it was listed.
            continue
    return found


def count_connections(pid: int, port: int) -> int:
    """Return how many established connections to the local *port* of IPv4 the process has a share in."""
    own = {each.removeprefix("socket:[").removesuffix("]") for each in list_open(pid) if each.startswith("socket:[")}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = {row[9] for row in rows if row[3] == "01" and int(row[1].rpartition(":")[2], 16) == port}
    return len(own & established)
