"""The certificates that a server needs itself: renewed while it serves, and what works when they have ended."""

import json
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from worlds.commands import FAST_SETTINGS, ServingProcess, serving
from worlds.house import csr
from worlds.rest_steps import close, open_request, responses_of, submit
from worlds.served import PASSWORD, ROOT, install
from worlds.system import await_that

STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
LIBRARIES = "*/faketime/libfaketimeMT.so.1"
CONNECTIONS = 8
"""Dealt in turn to two processes: some for each."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def found(data: Path, server_settings: str) -> None:
    (data / "certwright.toml").write_text(f"{FAST_SETTINGS}\n[server]\n{server_settings}\n")
    with install(data):
        pass


def list_serials(server: ServingProcess, data: Path) -> set[str]:
    """Return the serial numbers of the certificates that several connections are answered with."""
    tls = ssl.create_default_context(cafile=data / "ca.pem")
    serials = set()
    for _ in range(CONNECTIONS):
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            tls.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            certificate = connection.getpeercert()
            assert certificate
            serials.add(str(certificate["serialNumber"]))
    return serials


def test_certificate_is_replaced_while_the_server_serves_and_all_processes_use_it(data: Path) -> None:
    found(data, 'processes = 2\ntls_check = "1s"')
    with serving(data) as server:
        (before,) = list_serials(server, data)
        (data / "tls" / "server.pem").write_text("junk")
        await_that(lambda: before not in list_serials(server, data), "the certificate is not replaced")
        assert len(list_serials(server, data)) == 1
        assert server.read_log("tls certificate renewed")
        assert server.stop() == 0


def in_days(days: int) -> Mapping[str, str]:
    """Return the environment of a program for which it is so many days later."""
    library = next(iter(sorted(Path("/usr/lib").glob(LIBRARIES))), None)
    if library is None:
        pytest.skip("no faketime here: apt-get install faketime")
    return {"LD_PRELOAD": str(library), "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def test_server_of_an_authority_that_has_ended_starts_reads_and_revokes(data: Path) -> None:
    found(data, "processes = 1")
    with serving(data) as server, client_of(server, data) as http:
        request = open_request(http, STRONG_P256)
        assert len(responses_of(submit(http, request, csr("a")))) == 1
        assert close(http, request).status_code == 200
        profile = http.get(f"/requests/{request}").json()["NewProfileUuid"]
        assert server.stop() == 0
    with serving(data, variables=in_days(4_000)) as server:
        # Its own certificate has ended as well, and no other can be issued.
        with client_of(server, data, verify=False) as http:
            assert len(http.get("/profiletemplates").json()) > 0
            opened = open_request(http, STRONG_P256)
            (refused,) = submit(http, opened, csr("b")).json()
            assert refused["Error"]["ErrorCode"] == "validity-refused"
            revoked = str(http.post("/requests", json={"type": "Disable", "profile": profile}).json()).rpartition("/")[2]
            assert close(http, revoked).json()["Status"] == 8
            health = http.get(f"{server.url}/health")
            assert health.status_code == 200
            warnings = "\n".join(health.json()["warnings"])
        assert server.stop() == 0
        assert server.process.stderr is not None
        log = [json.loads(each) for each in server.process.stderr.read().splitlines()]
    logged = [each["what"] for each in log if each["event"] == "attention needed"]
    for whose in ("the issuing authority", "this server for TLS", "the recovery agent"):
        assert f"certificates: that of {whose}" in warnings
        assert any(f"certificates: that of {whose}" in each for each in logged)


def client_of(server: ServingProcess, data: Path, *, verify: bool = True) -> httpx.Client:
    tls = ssl.create_default_context(cafile=data / "ca.pem") if verify else False
    auth = ("subscriber", PASSWORD)
    return httpx.Client(base_url=server.url + ROOT, verify=tls, auth=auth, timeout=120, trust_env=False)
