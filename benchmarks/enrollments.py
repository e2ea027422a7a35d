"""Enrollments a second against a server as shipped, as shares of the raw signing rate of the same run.

    python -m benchmarks.enrollments [--enrollments N] [--seconds S] [--json]

For each key type: an own certification authority and server; POST certificatedata alone, then the whole way of create,
options, submit and complete; with 1 and with 8 clients. Then the resident memory of all processes of the server (their
proportional set sizes added up), and how long it took to start.
"""

import argparse
import base64
import itertools
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path

from benchmarks.load import Connection, Job
from benchmarks.raw_signing import measure_raw_rate
from benchmarks.requests import make_certificate_requests
from benchmarks.server import ACCOUNT, TEMPLATES, Server, prepare_installation, run_server

CLIENTS = (1, 8)
PARTS = 8
PREFIX = "/certificatemanagement/api/v1.0"


@dataclass(frozen=True)
class Rate:
    """One line of the result.

    Shape: *share* is the part of the raw signing rate that was reached. Units: *processor_ms* is the processor time of all
    processes of the server for one enrollment, the least that any part of the run took: other programs on the machine change it
    by a few percent, and the rate by half.
    """

    key: str
    what: str
    clients: int
    per_second: float
    share: float
    processor_ms: float


@dataclass(frozen=True)
class Result:
    """Units: raw rate in enrollments a second, memory in MiB, start in seconds."""

    key: str
    raw_per_second: float
    rates: list[Rate]
    memory_mib: float
    enrollments: int
    start_seconds: float


class Script:
    """The HTTP requests of an enrollment, ready to be sent."""

    def __init__(self, server: Server, key: str) -> None:
        token = base64.b64encode(f"{ACCOUNT}:{server.password}".encode()).decode()
        self._head = f"Host: localhost\r\nAuthorization: Basic {token}\r\nContent-Type: application/json\r\n"
        self._create = json.dumps({"type": "Enroll", "profiletemplateuuid": TEMPLATES[key], "comment": ""})
        requests = make_certificate_requests(key)
        submissions = [json.dumps({"pfxpassword": "", "certificaterequests": [each]}) for each in requests]
        self._submissions = itertools.cycle(submissions)

    async def create(self, connection: Connection) -> str:
        """Open a request and return its path."""
        body = await self._ask(connection, "POST", f"{PREFIX}/requests", self._create, 201)
        return f"{PREFIX}/requests/{json.loads(body).rpartition('/')[2]}"

    async def submit(self, connection: Connection, path: str) -> None:
        """Post certificatedata and see that a certificate came back."""
        body = await self._ask(connection, "POST", f"{path}/certificatedata", next(self._submissions), 200)
        if b'"isPkcs7":true' not in body:
            sys.exit(f"no certificate came back: {body[:300]!r}")

    async def enroll(self, connection: Connection, _: int) -> None:
        """Go the whole way."""
        path = await self.create(connection)
        await self._ask(connection, "GET", f"{path}/certificaterequestgenerationoptions", "", 200)
        await self.submit(connection, path)
        await self._ask(connection, "PUT", path, '{"status":"Completed"}', 200)

    async def _ask(self, connection: Connection, method: str, path: str, body: str, expected: int) -> bytes:
        message = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n{body}"
        status, answer = await connection.ask(message.encode())
        if status != expected:
            sys.exit(f"{method} {path}: {status} {answer[:300]!r}")
        return answer


def measure(key: str, enrollments: int, seconds: float) -> Result:
    """Return what a fresh server with keys of *key* does."""
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        installation = prepare_installation(Path(folder), key)
        raw = measure_raw_rate(key, seconds)
        with run_server(installation) as server:
            rates = list(_measure_rates(key, server, raw, enrollments))
            done = 2 * len(CLIENTS) * enrollments
            return Result(key, raw, rates, server.read_memory_mib(), done, server.start_seconds)


def _measure_rates(key: str, server: Server, raw: float, enrollments: int) -> Iterator[Rate]:
    script = Script(server, key)
    for clients in CLIENTS:
        paths: list[str] = []

        async def create(connection: Connection, _: int, paths: list[str] = paths) -> None:
            paths.append(await script.create(connection))

        server.drive(create, range(enrollments), clients=8)
        yield _measure(key, "certificatedata", server, raw, clients, script.submit, paths)
        yield _measure(key, "create, options, submit, complete", server, raw, clients, script.enroll, range(enrollments))


def _measure(
    key: str,
    what: str,
    server: Server,
    raw: float,
    clients: int,
    work: Callable[[Connection, Job], Awaitable[None]],
    jobs: Sequence[Job],
) -> Rate:
    seconds, processor_ms = 0.0, inf
    length = -(-len(jobs) // PARTS)
    for part in (jobs[start : start + length] for start in range(0, len(jobs), length)):
        before = server.read_processor_seconds()
        seconds += server.drive(work, part, clients=clients)
        processor_ms = min(processor_ms, (server.read_processor_seconds() - before) / len(part) * 1_000)
    per_second = len(jobs) / seconds
    return Rate(key, what, clients, per_second, per_second / raw, processor_ms)


def main() -> None:
    """Print one line a measurement, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--enrollments", type=int, default=2_500, help="for each line (default: 2500)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long raw signing is measured (default: 3)")
    parser.add_argument("--keys", nargs="*", default=list(TEMPLATES), choices=list(TEMPLATES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [measure(key, options.enrollments, options.seconds) for key in options.keys]
    if options.json:
        print(json.dumps([asdict(each) for each in results], indent=2))
        return
    for result in results:
        print(f"{result.key}: signing alone, 2 signatures each on all cores, would allow {result.raw_per_second:,.0f}/s")
        for rate in result.rates:
            measured = f"{rate.per_second:8,.0f}/s {rate.share:6.1%} of raw, {rate.processor_ms:6.2f} ms of processor time each"
            print(f"  {rate.what:34} {rate.clients} clients {measured}")
        print(f"  resident memory of all its processes after {result.enrollments:,} enrollments: {result.memory_mib:.0f} MiB")
        print(f"  from start to first answer: {result.start_seconds:.2f} s")


if __name__ == "__main__":
    main()
