"""Processes that sign: what they make, what they know, and what becomes of them."""

import json
import os
import signal
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certwright.adapters.signers.channel import Charge
from certwright.adapters.signers.crew import SignerCrew
from certwright.adapters.turns import SingleTurn
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import KeyUnavailable, SignerUnavailable
from certwright.domain.issuing import Cleared, SigningOrder
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from worlds.authorities import Hierarchy, make_hierarchy, make_subject_key, request_for
from worlds.commands import certwright, serving
from worlds.contoso import draft_of
from worlds.house import csr
from worlds.rest_steps import open_request, responses_of, submit
from worlds.served import PASSWORD, ROOT, install

HIERARCHY = make_hierarchy(KeyAlgorithm.RSA, 2048)
OTHER = make_hierarchy(KeyAlgorithm.RSA, 3072)
STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
PATIENCE_SECONDS = 30


def charge_for(hierarchy: Hierarchy) -> Charge:
    key = hierarchy.issuing_key
    private = key._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Charge(hierarchy.issuer, key.name, private)


def crew_of(hands: int, load: Callable[[], Charge] = lambda: charge_for(HIERARCHY)) -> SignerCrew:
    return SignerCrew(HIERARCHY.authority, load, SingleTurn(), hands)


def order_of(serial: int, hierarchy: Hierarchy = HIERARCHY, form: ResponseForm = ResponseForm.CMC) -> SigningOrder:
    request = request_for(make_subject_key(KeyAlgorithm.RSA, 2048))
    draft = replace(draft_of(request=request, issuer=hierarchy.issuer), serial=SerialNumber(serial))
    return SigningOrder(hierarchy.authority.prepare(Cleared(draft)), form, HashAlgorithm.SHA256)


def is_there(pid: int) -> bool:
    """Return whether the process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def await_end(*pids: int) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while any(map(is_there, pids)):
        assert monotonic() < deadline, "a signer goes on without its server"
        sleep(0.01)


# -- what they make --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hands", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_signers_make_what_the_authority_would_make_itself_in_the_order_of_the_orders(hands: int, count: int) -> None:
    crew = crew_of(hands)
    orders = [order_of(0x1000 + each, form=list(ResponseForm)[each % 2]) for each in range(count)]
    with crew.at_work():
        assert len(crew.pids) == hands
        assert crew.sign_each(orders) == HIERARCHY.authority.sign_each(orders)


def test_several_threads_get_each_their_own() -> None:
    crew = crew_of(2)
    batches = [[order_of(0x2000 + 16 * batch + each) for each in range(3)] for batch in range(8)]
    with crew.at_work(), ThreadPoolExecutor(len(batches)) as threads:
        assert list(threads.map(crew.sign_each, batches)) == [HIERARCHY.authority.sign_each(each) for each in batches]


def test_an_order_of_another_authority_is_refused_and_the_next_one_is_signed() -> None:
    crew = crew_of(1)
    with crew.at_work():
        with pytest.raises(KeyUnavailable):
            crew.sign_each([order_of(1, OTHER)])
        assert crew.sign_each([order_of(2)]) == HIERARCHY.authority.sign_each([order_of(2)])


# -- what becomes of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV])
def test_a_signer_that_ends_is_replaced_and_its_work_is_done(by: signal.Signals) -> None:
    crew = crew_of(2)
    orders = [order_of(0x3000 + each) for each in range(4)]
    with crew.at_work():
        first, second = crew.pids
        crew.sign_each(orders)
        os.kill(first, by)
        await_end(first)
        assert crew.sign_each(orders) == HIERARCHY.authority.sign_each(orders)
        assert first not in crew.pids
        assert second in crew.pids


def test_a_signer_that_ends_in_the_middle_of_its_work_is_replaced_too() -> None:
    crew = crew_of(1)
    orders = [order_of(0x4000 + each) for each in range(200)]
    with crew.at_work(), ThreadPoolExecutor(1) as threads:
        signing = threads.submit(crew.sign_each, orders)
        os.kill(crew.pids[0], signal.SIGKILL)
        assert signing.result(PATIENCE_SECONDS) == HIERARCHY.authority.sign_each(orders)


def test_where_no_signer_lives_the_post_is_told_to_come_again() -> None:
    crew = crew_of(2, lambda: replace_key(charge_for(HIERARCHY), b"no key"))
    with crew.at_work(), pytest.raises(SignerUnavailable):
        crew.sign_each([order_of(1), order_of(2)])


def replace_key(charge: Charge, key: bytes) -> Charge:
    return Charge(charge.issuer, charge.key_name, key)


def test_no_signer_is_left_when_the_work_has_ended() -> None:
    crew = crew_of(2)
    with crew.at_work():
        pids = crew.pids
        assert all(map(is_there, pids))
    assert not any(map(is_there, pids))
    assert crew.pids == []
    assert crew.sign_each([order_of(5)]) == HIERARCHY.authority.sign_each([order_of(5)])


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signer_leaves_it_to_its_server_to_end_it(by: signal.Signals) -> None:
    crew = crew_of(1)
    with crew.at_work():
        pids = crew.pids
        crew.sign_each([order_of(6)])
        os.kill(pids[0], by)
        crew.sign_each([order_of(7)])
        assert crew.pids == pids


# -- what they know, and a server with them ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signers") / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text('[authority]\nroot_key = "p-256"\nissuing_key = "rsa-2048"\n')
    with install(folder):
        return folder


def list_signers(server_pid: int) -> list[int]:
    children = [
        int(each) for task in Path(f"/proc/{server_pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]
    return [each for each in children if b"signer" in Path(f"/proc/{each}/cmdline").read_bytes()]


@contextmanager
def client(data: Path, url: str) -> Iterator[httpx.Client]:
    tls = ssl.create_default_context(cafile=data / "ca.pem")
    auth = httpx.BasicAuth("subscriber", PASSWORD)
    with httpx.Client(base_url=url + ROOT, verify=tls, auth=auth, timeout=60, trust_env=False) as http:
        yield http


def test_neither_key_nor_passphrase_is_in_what_everybody_sees_of_a_signer(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passphrase = (data / "passphrase").read_text().strip()
    monkeypatch.setenv("CERTWRIGHT_PASSPHRASE", passphrase)
    monkeypatch.setenv("CERTWRIGHT_PASSWORD", PASSWORD)
    with serving(data) as server:
        signers = list_signers(server.process.pid)
        assert signers
        for each in signers:
            seen = Path(f"/proc/{each}/cmdline").read_bytes() + Path(f"/proc/{each}/environ").read_bytes()
            assert b"CERTWRIGHT" not in seen
            assert passphrase.encode() not in seen
        assert server.stop() == 0


def test_a_server_whose_signers_are_killed_answers_and_leaves_no_process_behind(data: Path) -> None:
    with serving(data) as server, client(data, server.url) as http:
        signers = list_signers(server.process.pid)
        request = open_request(http, STRONG_P256)
        for each in signers:
            os.kill(each, signal.SIGKILL)
        answer = responses_of(submit(http, request, csr(request)))
        assert responses_of(submit(http, request, csr(request))) == answer
        replaced = list_signers(server.process.pid)
        assert replaced
        assert server.stop() == 0
        assert not any(map(is_there, [*signers, *replaced]))
    audit = certwright("audit", "verify", "--data", data, "--json")
    assert json.loads(audit.stdout)["unsealed"] == 0


def test_the_signers_of_a_server_that_is_killed_end(data: Path) -> None:
    with serving(data) as server:
        signers = list_signers(server.process.pid)
        assert signers
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        await_end(*signers)
