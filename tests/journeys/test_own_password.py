"""Users change their own password, over the REST API and with the command line."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.application.set_password import change_own_password
from certwright.application.world import World
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.events import Event, EventType
from certwright.domain.identities import Caller
from certwright.domain.password_ports import ExchangedHashes
from certwright.wire.cli import main
from worlds.commands import FAST_SETTINGS, certwright_on_terminal, serving
from worlds.rest_steps import refusal_of
from worlds.served import PASSWORD, Served, install, serve

OWN = "/CertificateManagement/api/v1.1/password"
NEW = "seven magazines of another kind"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of this module's own, whose accounts may be throttled."""
    folder = tmp_path_factory.mktemp("own") / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text(FAST_SETTINGS)
    with install(folder) as installation, serve(installation) as running:
        yield running


def put(served: Served, client: httpx.Client, current: str, new: str) -> httpx.Response:
    url = f"https://localhost:{served.port}{OWN}"
    return client.put(url, json={"CurrentPassword": current, "NewPassword": new})


def list_events(served: Served, event_type: EventType, account: str) -> list[Event]:
    with served.installation.world.store.reading() as session:
        found = session.directory.find_account("CORP", account)
        assert found is not None
        events = [
            each for each in session.history.list_between(1, session.history.find_last_number()) if isinstance(each, Event)
        ]
    return [each for each in events if each.type is event_type and each.subject_id == found.user.id]


def test_a_user_changes_the_password_and_it_counts_at_the_next_call(own: Served) -> None:
    with own.client("subscriber") as client, own.client("subscriber", NEW) as changed:
        assert put(own, client, PASSWORD, NEW).status_code == 204
        assert client.get("/profiletemplates").status_code == 401
        assert changed.get("/profiletemplates").status_code == 200
    (event,) = list_events(own, EventType.PASSWORD_SET, "subscriber")
    assert (event.actor, event.source) == ("CORP\\subscriber", "127.0.0.1")
    assert not {PASSWORD, NEW} & set(event.details.values())


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "password-too-short"),
        ("manager manager 2026", "password-guessable"),
        ("passwordpassword", "password-guessable"),
        (PASSWORD, "malformed-value"),
        ("", "malformed-value"),
    ],
)
def test_a_new_password_that_the_policy_refuses_changes_nothing(own: Served, new: str, code: str) -> None:
    with own.client("manager") as client:
        assert refusal_of(put(own, client, PASSWORD, new)) == (400, code)
        assert client.get("/profiletemplates").status_code == 200
    assert list_events(own, EventType.PASSWORD_SET, "manager") == []


def test_a_current_password_that_is_wrong_is_refused_and_soon_throttled(own: Served) -> None:
    with own.client("auditor") as client:
        assert client.get("/requests").status_code == 204
        answers = [put(own, client, "guess 0", NEW)]
        # Each failure doubles the delay: however slow the machine is, one of these comes too early.
        while answers[-1].status_code == 403:
            assert len(answers) < 20
            answers.append(put(own, client, f"guess {len(answers)}", NEW))
    assert {refusal_of(each) for each in answers[:-1]} == {(403, "current-password-wrong")}
    assert refusal_of(answers[-1]) == (401, "sign-in-throttled")
    assert int(answers[-1].headers["retry-after"]) > 0
    failed = list_events(own, EventType.SIGN_IN_FAILED, "auditor")
    assert len(failed) == len(answers) - 1
    assert {each.source for each in failed} == {"127.0.0.1"}
    assert list_events(own, EventType.PASSWORD_SET, "auditor") == []


def test_without_a_sign_in_no_password_is_looked_at(own: Served) -> None:
    with own.client() as client:
        assert refusal_of(put(own, client, PASSWORD, NEW)) == (401, "credentials-missing")


@dataclass(frozen=True)
class Overtaken:
    """The server's own exchange, during which an administrator sets another password."""

    world: World
    reset: str

    def exchange(self, by: Caller, current: str, new: str) -> ExchangedHashes:
        exchanged = self.world.own_passwords.exchange(by, current, new)
        with self.world.store.writing() as session:
            session.directory.save_password_hash(by.user.id, self.reset)
        return exchanged


def test_a_password_that_an_administrator_sets_meanwhile_is_not_overwritten(own: Served) -> None:
    world, reset = own.installation.world, Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash("set by an administrator")

    with world.store.reading() as session:
        found = session.directory.find_account("CORP", "helpdesk")
    assert found is not None
    caller = Caller(found.user, found.sids, "192.0.2.7")
    with pytest.raises(ChangedMeanwhile):
        change_own_password(PASSWORD, NEW, by=caller, world=replace(world, own_passwords=Overtaken(world, reset)))
    with world.store.reading() as session:
        assert session.directory.find_password_hash(found.user.id) == reset


def test_no_log_line_has_a_password(own: Served) -> None:
    tried = (("a wrong one, 77c1", NEW), (PASSWORD, "short 88d2"), (PASSWORD, "a taken one 99e3"), ("a", 7))
    with serving(own.installation.data) as server:
        elsewhere = replace(own, port=server.port)
        with elsewhere.client("approver") as client:
            for current, new in tried:
                put(elsewhere, client, current, new)  # type: ignore[arg-type]
        assert server.stop() == 0
        assert server.process.stderr is not None
        told = server.process.stderr.read()
    assert [each for each in ("77c1", "88d2", "99e3", PASSWORD, NEW) if each in told] == []
    assert "refused" in told


# -- the command -------------------------------------------------------------------------------------------------------


def run_own(served: Served, *arguments: str | Path, variables: dict[str, str] | None = None) -> Result:
    where = ("--url", f"https://localhost:{served.port}", "--ca", served.installation.ca_file)
    return CliRunner().invoke(main, [str(each) for each in ("password", "--self", *where, *arguments)], env=variables)


def test_the_command_changes_it_from_any_machine(own: Served, tmp_path: Path) -> None:
    file = tmp_path / "new"
    file.write_text(f"{NEW}\n")
    file.chmod(0o600)
    done = run_own(own, "--user", "approver2", "--new-password-file", file, variables={"CERTWRIGHT_PASSWORD": PASSWORD})
    assert (done.exit_code, done.output) == (0, "The password of approver2 is changed.\n")
    with own.client("approver2", NEW) as client:
        assert client.get("/requests").status_code in (200, 204)
    refused = run_own(
        own, "--user", "approver2", variables={"CERTWRIGHT_PASSWORD": NEW, "CERTWRIGHT_NEW_PASSWORD": "approver2"}
    )
    assert (refused.exit_code, "at least 15 characters" in refused.output) == (1, True)


def test_the_command_asks_at_a_terminal(own: Served) -> None:
    status, told = certwright_on_terminal(
        "password",
        "--self",
        *("--url", f"https://localhost:{own.port}", "--ca", own.installation.ca_file, "--user", "administrator"),
        answers={"Current password of administrator": PASSWORD, "New password:": NEW, "Repeat for confirmation": NEW},
        variables={"NO_PROXY": "localhost"},
    )
    assert status == 0, told
    assert NEW not in told
    assert PASSWORD not in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("password",),
        ("password", "subscriber"),
        ("password", "--self"),
        ("password", "subscriber", "--self", "--url", "https://localhost", "--user", "subscriber"),
        ("password", "subscriber", "--data", "data", "--user", "subscriber"),
    ],
)
def test_the_two_ways_of_the_command_are_not_mixed(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(main, list(arguments)).exit_code == 2
