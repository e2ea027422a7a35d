"""Answers to challenges of cards a second, and how long each takes, against a server as shipped.

    python -m benchmarks.card_answers [--answers N] [--json]

Eight clients, each with a card of its own that has a key of its own. Every answer is an event, so every answer is a commit.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from benchmarks.load import Connection
from benchmarks.server import ACCOUNT, Installation, Server, prepare_installation, run_server

CLIENTS = 8
PREFIX = "/certificatemanagement/api/v1.0"
TEMPLATE = "a039b4d0-5ce8-4eff-8651-181c6576fda3"
CARD_TABLE = "[profile_templates.smartcard]\n"


@dataclass(frozen=True)
class Result:
    """Units: answers a second, milliseconds."""

    answers: int
    clients: int
    per_second: float
    median_ms: float
    p99_ms: float
    memory_mib: float


class Script:
    """What a client with a card sends."""

    def __init__(self, server: Server) -> None:
        token = base64.b64encode(f"{ACCOUNT}:{server.password}".encode()).decode()
        self._head = f"Host: localhost\r\nAuthorization: Basic {token}\r\nContent-Type: application/json\r\n"
        self.paths: list[str] = []
        self.seconds: list[float] = []

    async def prepare(self, connection: Connection, _: int) -> None:
        """Bind a card and give it its own key."""
        wish = json.dumps({"type": "Enroll", "profiletemplateuuid": TEMPLATE, "comment": ""})
        request = json.loads(await self._ask(connection, "POST", f"{PREFIX}/requests", wish, 201)).rpartition("/")[2]
        card = json.dumps({"requestid": request, "cardid": str(uuid4())})
        bound = json.loads(await self._ask(connection, "POST", f"{PREFIX}/smartcards", card, 201)).rpartition("/")[2]
        path = f"{PREFIX}/requests/{request}/smartcards/{bound}"
        await self._ask(connection, "GET", f"{path}/diversifiedkey", "", 200)
        self.paths.append(path)

    async def answer(self, connection: Connection, number: int) -> None:
        """Have one challenge answered."""
        path = f"{self.paths[number % len(self.paths)]}/authenticationresponse"
        began = perf_counter()
        await self._ask(connection, "GET", f"{path}?challenge={os.urandom(8).hex()}&diversified=true", "", 200)
        self.seconds.append(perf_counter() - began)

    async def _ask(self, connection: Connection, method: str, path: str, body: str, expected: int) -> bytes:
        message = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n{body}"
        status, answer = await connection.ask(message.encode())
        if status != expected:
            sys.exit(f"{method} {path.partition('?')[0]}: {status} {answer[:300]!r}")
        return answer


def measure(answers: int) -> Result:
    """Return what a fresh server does."""
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        installation = prepare_installation(Path(folder), "P-256")
        _lift_limit(installation)
        with run_server(installation) as server:
            script = Script(server)
            server.drive(script.prepare, range(CLIENTS), clients=1)
            elapsed = server.drive(script.answer, range(answers), clients=CLIENTS)
            ordered = sorted(script.seconds)
            return Result(
                answers=answers,
                clients=CLIENTS,
                per_second=answers / elapsed,
                median_ms=ordered[answers // 2] * 1_000,
                p99_ms=ordered[answers * 99 // 100] * 1_000,
                memory_mib=server.read_memory_mib(),
            )


def _lift_limit(installation: Installation) -> None:
    """Let any number of challenges be answered for a request."""
    world = files("certwright.worlds").joinpath("demo.toml").read_text("utf-8")
    path = installation.data / "world.toml"
    path.write_text(world.replace(CARD_TABLE, f"{CARD_TABLE}maximum_challenges = 0\n"))
    command = [sys.executable, "-m", "certwright", "load", str(path), "--data", str(installation.data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print the result, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=5_000, help="how many (default: 5000)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.answers)
    if options.json:
        print(json.dumps(asdict(result), indent=2))
        return
    print(f"{result.answers:,} answers, {result.clients} clients: {result.per_second:,.0f}/s")
    print(f"  median {result.median_ms:.1f} ms, p99 {result.p99_ms:.1f} ms, resident memory {result.memory_mib:.0f} MiB")


if __name__ == "__main__":
    main()
