"""What each list, search, look of a worker and command costs, with a thousand rows of each kind and with very many.

    python -m benchmarks.growth [--sizes 1000,100000,1000000] [--database sqlite|postgresql|both] [--json]

A fresh installation with the demo world is filled with rows of every kind for each size. Then each thing is done three times,
and the fastest counts: milliseconds, and how many items came back. A line is marked where the last size took more than five
times as long as the first, and more for each item, which nothing should. PostgreSQL runs on a free port, from the programs of
Debian's package.
"""

import argparse
import json
import resource
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter

from benchmarks.growth_rows import OWN, Person, fill, identifier
from benchmarks.server import run_command
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.store import SqlStore
from certwright.application.due_work import Job
from certwright.application.event_searches import Named
from certwright.application.find_health import find_health
from certwright.application.list_all_requests import list_all_requests
from certwright.application.manage_people import change_member, grant_right, revoke_right
from certwright.application.read_history import read_events, read_newest_events
from certwright.application.read_holdings import list_own_certificates, list_profiles
from certwright.application.read_requests import read_request_page
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_database import find_database_url, find_settings
from certwright.domain.certificates import SerialNumber, format_serial_number
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.identities import Caller
from certwright.domain.outbox import MAIL
from certwright.domain.requests import RequestId, RequestStatus

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from postgresql import find_programs, run_postgresql

SIZES = "1000,100000,1000000"
TIMES = 3
TOLERATED = 5
"""Times as long as at the smallest size; below, it is the logarithm, and the noise of the machine."""
LEAST_MILLISECONDS = 5.0
"""Below this, growth is not told from noise."""

Measured = dict[str, tuple[float, int]]
Thing = Callable[[], object]


def measure(data: Path, url: str, size: int) -> Measured:
    """Return, by its name, how many milliseconds each thing took with *size* rows of each kind, and how many items it gave."""
    settings = '[authority]\nissuing_key = "p-256"\n' + (f'[database]\nurl = "{url}"\n' if url else "")
    (data / "certwright.toml").write_text(settings)
    for command in (["init"], ["load", "demo"]):
        run_command(command, data, secrets.token_urlsafe(12))
    with open_installation(data) as opened:
        person, group = _find_person(opened), _find_group(opened)
        store = opened.world.store
        if not isinstance(store, SqlStore):
            raise TypeError("only a store of ours can be filled")
        ledger = RowLedger(store._row_key)
        with store.reading() as session:
            software = next(each for each in session.templates.list_newest() if each.name == "Software Certificate")
    began = perf_counter()
    fill(find_database_url(find_settings(data), data), size, person, software.id, group, ledger)
    print(f"loaded in {perf_counter() - began:.0f} s", file=sys.stderr)
    with open_installation(data) as opened:
        return {name: _time(thing) for name, thing in _list_things(opened, size)}


def _time(thing: Thing) -> tuple[float, int]:
    fastest, items = float("inf"), 0
    for _ in range(TIMES):
        began = perf_counter()
        found = thing()
        fastest = min(fastest, perf_counter() - began)
        items = len(found) if isinstance(found, Sized) else 1
    return fastest * 1_000, items


def _list_things(opened: Installation, size: int) -> Iterator[tuple[str, Thing]]:
    yield from _list_lists(opened, size)
    yield from _list_searches(opened, size)
    yield from _list_looks(opened)
    yield from _list_commands(opened)


def _list_lists(opened: Installation, size: int) -> Iterator[tuple[str, Thing]]:
    world, middle = opened.world, RequestId(identifier(4, size // 2))
    subscriber, administrator, approver = (_sign_in(opened, each) for each in ("subscriber", "administrator", "approver"))
    collector = _sign_in(opened, "subscriber2")
    pending = frozenset({RequestStatus.PENDING})

    def page(by: Caller, after: RequestId | None = None, statuses: frozenset[RequestStatus] | None = None) -> Sized:
        return read_request_page(by=by, world=world, length=100, statuses=statuses, after=after).requests

    yield "GET requests, administrator: first slice", lambda: page(administrator)
    yield "GET requests, administrator: a slice in the middle", lambda: page(administrator, middle)
    yield "GET requests?status=, administrator", lambda: page(administrator, None, pending)
    yield "GET requests, subscriber", lambda: page(subscriber)
    yield "GET requests?status=, subscriber", lambda: page(subscriber, None, pending)
    yield "GET requests?status=, approver", lambda: page(approver, None, pending)
    yield f"GET profiles, of {OWN} own ones", lambda: list_profiles(by=subscriber, world=world)
    yield "GET profiles, of a tenth of all", lambda: list_profiles(by=collector, world=world)
    yield "GET certificates, subscriber", lambda: list_own_certificates(by=subscriber, world=world)


def _list_searches(opened: Installation, size: int) -> Iterator[tuple[str, Thing]]:
    auditor, since = _sign_in(opened, "auditor"), datetime.now(UTC) - timedelta(days=1)
    searches = {
        "all": Named(),
        "a user": Named(user="subscriber"),
        "an operator": Named(user="nobody-here"),
        "a request": Named(request=str(identifier(4, 3))),
        "a rare type": Named(types="history.read"),
        "a common type": Named(types="certificate.issued"),
        "since yesterday": Named(since=since.isoformat()),
        "a profile": Named(profile=str(identifier(3, size // 10))),
        "a certificate": Named(certificate=format_serial_number(SerialNumber((7 << 120) | (size // 10)))),
        "a template": Named(template="Software Certificate"),
    }
    for name, named in searches.items():
        yield (
            f"GET events: {name}",
            lambda named=named: read_events(named, after=0, most=100, by=auditor, world=opened.world).events,
        )
    yield "audit list", lambda: read_newest_events(Named(), 100, operator="root", world=opened.world)


def _list_looks(opened: Installation) -> Iterator[tuple[str, Thing]]:
    def health() -> object:
        return find_health(world=opened.world, sealing_interval=timedelta(minutes=1), find_checkpoint=lambda: None)

    yield "health", health
    for job in opened.jobs:
        yield f"worker: {job.name}", lambda job=job: _look(job)
    yield "worker: outbox of mail", lambda: _look_at_outbox(opened)


def _list_commands(opened: Installation) -> Iterator[tuple[str, Thing]]:
    world = opened.world
    who = f"CORP\\person{7:07}"

    def grant() -> object:
        grant_right(Right.REQUEST_REVOKE, ObjectKind.PRINCIPAL, who, "helpdesk", operator="root", world=world)
        return revoke_right(Right.REQUEST_REVOKE, ObjectKind.PRINCIPAL, who, "helpdesk", operator="root", world=world)

    def join() -> object:
        change_member("Subscribers", "auditor", is_member=True, operator="root", world=world)
        return change_member("Subscribers", "auditor", is_member=False, operator="root", world=world)

    yield "rights grant, and revoke", grant
    yield "groups add, and remove", join
    yield "requests list: the first 1,000", lambda: list(islice(list_all_requests(world=world), 1_000))


def _look(job: Job) -> Sized:
    return (job.list_in_turn or job.list_due)(200)


def _look_at_outbox(opened: Installation) -> Sized:
    now = opened.world.clock.now()
    with opened.world.store.reading() as session:
        return session.outbox.list_due(MAIL, now=now, latest=now + timedelta(days=30), limit=100)


def _sign_in(opened: Installation, account: str) -> Caller:
    with opened.world.store.reading() as session:
        found = session.directory.find_account("", account)
    if found is None:
        raise LookupError(account)
    return Caller(found.user, found.sids, "benchmark")


def _find_person(opened: Installation) -> Person:
    one, other = (_sign_in(opened, each).user for each in ("subscriber", "subscriber2"))
    return Person(one.id, one.nt4_name, one.sid, other.id)


def _find_group(opened: Installation) -> object:
    with opened.world.store.reading() as session:
        return next(each.id for each in session.directory.list_groups() if each.name == "Subscribers")


@contextmanager
def _databases(kind: str) -> Iterator[Callable[[], str]]:
    """Give out what makes a database and returns its URL, empty for the SQLite of the installation."""
    if kind == "sqlite":
        yield lambda: ""
        return
    programs = find_programs()
    if programs is None:
        sys.exit("there is no PostgreSQL here: apt-get install postgresql")
    with run_postgresql(programs) as server:
        yield server.create_database


def run(kind: str, sizes: list[int]) -> dict[int, Measured]:
    """Return what is measured at each size."""
    found: dict[int, Measured] = {}
    with _databases(kind) as make_database:
        for size in sizes:
            print(f"{kind}: {size:,} rows of each kind ...", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="certwright-growth-") as folder:
                found[size] = measure(Path(folder), make_database(), size)
            # The next size may take half an hour: what is known by now is not lost.
            lines = (f"{size:>12,} {name:52}{took:10.1f} ms {items:>6}" for name, (took, items) in found[size].items())
            print("\n".join(lines), file=sys.stderr, flush=True)
    return found


def has_grown(first: tuple[float, int], last: tuple[float, int]) -> bool:
    """Return whether a thing took longer for more rows than what it returned accounts for."""
    items = max(1.0, last[1] / max(1, first[1]))
    return last[0] > LEAST_MILLISECONDS and last[0] > TOLERATED * items * first[0]


def print_table(kind: str, found: dict[int, Measured]) -> None:
    """Print a line for each thing, milliseconds and items at each size."""
    sizes = list(found)
    print(f"\n{kind:52}" + "".join(f"{size:>20,}" for size in sizes))
    for name in found[sizes[0]]:
        values = [found[size][name] for size in sizes]
        mark = "  grows" if has_grown(values[0], values[-1]) else ""
        print(f"{name:52}" + "".join(f"{took:10.1f} ms {items:>6}" for took, items in values) + mark)


def main() -> None:
    """Print the tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help=f"rows of each kind, ascending (default: {SIZES})")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if options.database == "both" else [options.database]
    found: dict[str, dict[int, Measured]] = {}
    for kind in kinds:
        found[kind] = run(kind, [int(each) for each in options.sizes.split(",")])
        if not options.json:
            print_table(kind, found[kind])
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"\nmemory of this process at its largest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024:.0f} MiB")


if __name__ == "__main__":
    main()
