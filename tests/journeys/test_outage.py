"""A server whose PostgreSQL goes away and comes back: what clients, monitoring and the log are given meanwhile."""

import json
import ssl
from pathlib import Path

import httpx
import pytest

from postgresql import PACKAGE, find_programs, run_postgresql
from worlds.commands import FAST_SETTINGS, serving
from worlds.house import csr
from worlds.rest_steps import open_request, responses_of, submit
from worlds.served import PASSWORD, ROOT, install
from worlds.system import await_that

STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
CALLS = 30


def test_calls_during_an_outage_are_503_and_few_lines_of_the_log_and_go_on_afterwards(tmp_path: Path) -> None:
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL here: apt-get install {PACKAGE}")
    data = tmp_path / "data"
    data.mkdir()
    with run_postgresql(programs) as postgresql:
        (data / "certwright.toml").write_text(f'{FAST_SETTINGS}[database]\nurl = "{postgresql.create_database()}"\n')
        with install(data):
            pass
        tls = ssl.create_default_context(cafile=data / "ca.pem")
        with (
            serving(data) as server,
            httpx.Client(
                base_url=server.url + ROOT, verify=tls, auth=("subscriber", PASSWORD), timeout=120, trust_env=False
            ) as http,
        ):
            request = open_request(http, STRONG_P256)
            with postgresql.stopped():
                for _ in range(CALLS):
                    for answer in (
                        http.get(f"/requests/{request}"),
                        http.get("/profiletemplates"),
                        submit(http, request, csr(request)),
                    ):
                        assert (answer.status_code, answer.json()["ErrorCode"]) == (503, "store-unavailable")
                        assert answer.headers["Retry-After"] == "5"
                health = http.get(f"{server.url}/health")
                assert health.status_code == 503
                assert not health.json()["store"]["writable"]
            await_that(lambda: http.get(f"/requests/{request}").status_code == 200, "the server does not go on")
            assert len(responses_of(submit(http, request, csr(request)))) == 1
            assert server.stop() == 0
            assert server.process.stderr is not None
            log = server.process.stderr.read()
    assert "Traceback" not in log
    lines = [json.loads(each) for each in log.splitlines()]
    outage = [each for each in lines if each["event"] == "database unavailable"]
    # Each of two processes may write a line at once, and another one ten seconds later.
    assert 1 <= len(outage) < CALLS
