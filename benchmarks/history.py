"""What the event history costs: sealing, as a share of the time in which people enroll, and proving it, in events a second.

    python -m benchmarks.history [--events N] [--enrollments N] [--json]

A server as shipped is driven by eight clients first: how many enrollments a second, how many events each. Then as many events
as asked for are written into a fresh installation and sealed, each second's worth at that rate in one batch, as by the worker;
the share is the processor time of that to the time in which those people enrolled. Then `certwright audit verify` walks
through all of them.
"""

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from uuid import uuid4

from benchmarks.enrollments import Script
from benchmarks.server import prepare_installation, run_server
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import verify_history
from certwright.bootstrap import Installation, open_installation
from certwright.domain.events import Event, EventType

KEY = "RSA-2048"
CLIENTS = 8
WRITTEN_AT_ONCE = 5_000
KINDS = (EventType.REQUEST_CREATED, EventType.REQUEST_EXECUTED, EventType.CERTIFICATE_ISSUED, EventType.REQUEST_COMPLETED)


@dataclass(frozen=True)
class Result:
    """Units: rates a second; *share* of the time of enrolling; memory in MiB, of the process at its largest."""

    enrollments_per_second: float
    events_per_enrollment: float
    events: int
    sealed_per_second: float
    share: float
    verified_per_second: float
    memory_mib: float


def measure(events: int, enrollments: int) -> Result:
    """Return what sealing and proving *events* costs, at the rate of so many enrollments."""
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        installation = prepare_installation(Path(folder), KEY)
        with run_server(installation) as server:
            elapsed = server.drive(Script(server, KEY).enroll, range(enrollments), clients=CLIENTS)
        per_enrollment = _count_events(installation.data) / enrollments
    rate = enrollments / elapsed
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        data = prepare_installation(Path(folder), "P-256").data
        with open_installation(data) as opened:
            batch = max(1, round(rate * per_enrollment))
            sealing, processor = _write_and_seal(opened, events, batch)
            began = perf_counter()
            report = verify_history(world=opened.world, key=opened.sealing_key, read_checkpoints=opened.checkpoints.read)
            proving = perf_counter() - began
    if report.faults or report.events < events:
        sys.exit(f"the history is not whole: {report}")
    return Result(
        enrollments_per_second=rate,
        events_per_enrollment=per_enrollment,
        events=events,
        sealed_per_second=events / sealing,
        share=processor / events * per_enrollment * rate,
        verified_per_second=report.events / proving,
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
    )


def _count_events(data: Path) -> int:
    """Return how many events there are of requests."""
    with open_installation(data) as opened, opened.world.store.reading() as session:
        count, after = 0, 0
        while found := session.history.list_between(after + 1, after + WRITTEN_AT_ONCE):
            count += sum(1 for each in found if isinstance(each, Event) and each.request_id is not None)
            after += WRITTEN_AT_ONCE
        return count


def _write_and_seal(opened: Installation, events: int, batch: int) -> tuple[float, float]:
    """Return the seconds, and the seconds of processor time, that sealing took."""
    elapsed = processor = 0.0
    written = 0
    while written < events:
        count = min(batch, events - written)
        with opened.world.store.writing() as session:
            session.history.append(_make_events(written, count))
        written += count
        began, used = perf_counter(), process_time()
        seal_history(world=opened.world, key=opened.sealing_key)
        elapsed, processor = elapsed + perf_counter() - began, processor + process_time() - used
    return elapsed, processor


def _make_events(start: int, count: int) -> Iterator[Event]:
    request, person = uuid4(), uuid4()
    for number in range(start, start + count):
        yield Event(
            type=KINDS[number % len(KINDS)],
            at=datetime.now(UTC),
            actor="CORP\\subscriber",
            actor_id=person,
            source="192.0.2.7",
            # Nobody hears of it: a request that is not there has no notices.
            request_id=request,
            subject_id=person,
            details={"serial": f"{number:040X}", "template": "ContosoUser"},
        )


def main() -> None:
    """Print the lines, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="to be sealed and proven (default: 1000000)")
    parser.add_argument("--enrollments", type=int, default=2_000, help="for the rate (default: 2000)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.events, options.enrollments)
    if options.json:
        print(json.dumps(asdict(result), indent=2))
        return
    print(f"{result.enrollments_per_second:,.0f} enrollments a second, {result.events_per_enrollment:.1f} events each")
    print(f"sealing: {result.sealed_per_second:,.0f} events a second; {result.share:.2%} of the time of these enrollments")
    print(f"verify:  {result.verified_per_second:,.0f} events a second, over {result.events:,} events")
    print(f"memory of the process at its largest: {result.memory_mib:.0f} MiB")


if __name__ == "__main__":
    main()
