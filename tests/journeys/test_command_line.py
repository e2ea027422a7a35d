"""The command line, from an empty folder to a certificate and a history that can be proven."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from certwright.adapters.sql.schema import migrate
from certwright.wire.cli import COMMANDS, main
from certwright.wire.cli.audit import NOT_COMPARED
from worlds.commands import FAST_SETTINGS, certwright, certwright_on_terminal, serving
from worlds.served import PASSWORD, Served

REPOSITORY = Path(__file__).parent.parent.parent
CHAIN_OK = re.compile(r": OK$", re.MULTILINE)


def run(*arguments: str | Path, variables: dict[str, str] | None = None) -> Result:
    """Run the command line in this process: faster, for what needs no process of its own."""
    return CliRunner().invoke(main, [str(each) for each in arguments], env=variables)


def make_settled_folder(folder: Path, settings: str = FAST_SETTINGS) -> Path:
    """Return a folder with a settings file and nothing else."""
    folder.mkdir()
    (folder / "certwright.toml").write_text(settings)
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with the demo world and a password for the subscriber; tests that change it copy it."""
    data = make_settled_folder(tmp_path_factory.mktemp("installed") / "data")
    assert run("init", "--data", data).exit_code == 0
    assert run("load", "demo", "--data", data).exit_code == 0
    password = run("password", "subscriber", "--data", data, variables={"CERTWRIGHT_PASSWORD": PASSWORD})
    assert password.exit_code == 0
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    """A copy of the installation, to do anything with."""
    copy = tmp_path / "data"
    shutil.copytree(installed, copy)
    return copy


# -- help --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage: main" in result.output
    assert command in run("--help").output


@pytest.mark.parametrize(
    "command", [("init",), ("serve",), ("demo",), ("enroll",), ("load",), ("password",), ("audit", "verify")]
)
def test_the_help_of_a_command_has_examples_that_begin_with_its_name(command: tuple[str, ...]) -> None:
    assert f"certwright {' '.join(command)} " in run(*command, "--help").output.partition("Example")[2]


def test_a_wrong_command_line_ends_with_2() -> None:
    assert run("serve").exit_code == 2
    assert run("marry").exit_code == 2


# -- init --------------------------------------------------------------------------------------------------------------


def test_what_init_makes_is_for_its_user_alone_but_for_the_root(installed: Path) -> None:
    others = {each.name for each in installed.rglob("*") if each.is_file() and stat.S_IMODE(each.stat().st_mode) & 0o077}
    assert others <= {"ca.pem", "certwright.toml"}
    assert stat.S_IMODE((installed / "passphrase").stat().st_mode) == 0o600


def test_init_makes_its_folder_for_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    assert run("init", "--data", folder).exit_code == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_init_says_which_addresses_certificates_name_and_that_nothing_is_served_there(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    settings = FAST_SETTINGS + '[server]\npublic_url = "https://ca.example.com"\n'
    (folder / "certwright.toml").write_text(settings)
    result = run("init", "--data", folder)
    assert result.exit_code == 0
    for address in ("crl/issuing.crl", "ca/issuing.crt", "crl/root.crl", "ca/root.crt"):
        assert f"https://ca.example.com/{address}" in result.output, result.output
    assert "NOTHING IS SERVED THERE YET" in result.output


def test_no_private_key_rests_in_clear(installed: Path) -> None:
    for file in installed.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert b"BEGIN PRIVATE KEY" not in content
            assert b"BEGIN EC PRIVATE KEY" not in content
            assert b"BEGIN RSA PRIVATE KEY" not in content


def test_an_installation_is_never_made_twice(data: Path) -> None:
    before = (data / "ca.pem").read_bytes()
    result = run("init", "--data", data)
    assert result.exit_code == 1
    assert "installation-exists" in result.output
    assert (data / "ca.pem").read_bytes() == before


def test_an_init_that_was_broken_off_is_run_again(tmp_path: Path) -> None:
    folder = make_settled_folder(tmp_path / "data")
    (folder / "passphrase").write_text("a passphrase of the first run\n")
    (folder / "passphrase").chmod(0o600)
    migrate(f"sqlite:///{folder / 'certwright.db'}")
    assert run("audit", "verify", "--data", folder).exit_code == 1
    assert run("init", "--data", folder).exit_code == 0
    assert run("audit", "verify", "--data", folder).exit_code == NOT_COMPARED
    assert (folder / "passphrase").read_text() == "a passphrase of the first run\n"


def test_faults_of_the_settings_are_told_one_a_line_and_nothing_is_made(tmp_path: Path) -> None:
    folder = make_settled_folder(tmp_path / "data", "[server]\nport = 0\n[keys]\npassphrase = 'hunter2'\n")
    result = run("init", "--data", folder)
    assert result.exit_code == 1
    assert [line for line in result.output.splitlines() if "server.port" in line]
    assert [line for line in result.output.splitlines() if "keys.passphrase" in line]
    assert "hunter2" not in result.output
    assert not (folder / "certwright.db").exists()


def test_a_passphrase_can_come_from_the_environment(tmp_path: Path) -> None:
    folder = make_settled_folder(tmp_path / "data", f'{FAST_SETTINGS}[keys]\npassphrase = "env:CERTWRIGHT_TEST_PASSPHRASE"\n')
    assert "secret-unavailable" in run("init", "--data", folder).output
    variables = {"CERTWRIGHT_TEST_PASSPHRASE": "correct horse"}
    assert run("init", "--data", folder, variables=variables).exit_code == 0
    assert not (folder / "passphrase").exists()
    assert run("audit", "verify", "--data", folder, variables=variables).exit_code == NOT_COMPARED
    wrong = run("audit", "verify", "--data", folder, variables={"CERTWRIGHT_TEST_PASSPHRASE": "another"})
    assert (wrong.exit_code, "key-version-unavailable" in wrong.output) == (1, True)


@pytest.mark.parametrize(
    ("mode", "who"), [(0o644, "everybody"), (0o602, "everybody"), (0o640, "its group"), (0o660, "its group")]
)
def test_a_passphrase_that_others_may_read_or_write_is_refused(data: Path, mode: int, who: str) -> None:
    passphrase = data / "passphrase"
    if os.geteuid() == 0:
        # What belongs to root may be read by a group: let it belong to a service.
        os.chown(passphrase, 65534, 65534)
    passphrase.chmod(mode)
    result = run("audit", "verify", "--data", data)
    assert result.exit_code == 1
    assert f"{who} may read or write it; run: chmod 600" in " ".join(result.output.split())


def test_a_password_file_that_others_may_read_is_refused(data: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple\n")
    secret.chmod(0o644)
    result = run("password", "subscriber", "--data", data, "--password-file", secret)
    assert result.exit_code == 1
    assert "holds a secret, and everybody may read or write it" in " ".join(result.output.split())
    assert "correct horse" not in result.output


def test_a_folder_without_installation_is_told_what_to_do(tmp_path: Path) -> None:
    result = run("serve", "--data", tmp_path / "nothing")
    assert result.exit_code == 1
    assert "certwright init --data" in result.output


# -- load and password -------------------------------------------------------------------------------------------------


def test_loading_again_changes_nothing(data: Path) -> None:
    result = run("load", "demo", "--data", data, "--json")
    told = json.loads(result.output)
    assert (told["loaded"], told["users"], told["groups"], told["templates"], told["differences"]) == (True, 0, 0, [], [])


ONE_PERSON = """\
[domain]
name = "CORP"

[[users]]
account = "subscriber"
id = "8f1590dc-d932-4b66-8e68-2e91c5880780"
sid = "S-1-5-21-2127521184-1604012920-1887927527-14995557"
principal_name = "subscriber@corp.contoso.com"
email = "sam@contoso.com"
display_name = "Sam Subscriber"
distinguished_name = "CN=Sam Subscriber,OU=People,DC=corp,DC=contoso,DC=com"
"""


@pytest.fixture
def one_person(tmp_path: Path) -> Path:
    """A file with one person of the demo world, who has another address, and nothing else."""
    file = tmp_path / "one.toml"
    file.write_text(ONE_PERSON)
    return file


def count_rights(data: Path) -> int:
    return len(json.loads(run("rights", "list", "--data", data, "--json").stdout))


def test_a_file_with_one_person_changes_this_person_alone(data: Path, one_person: Path) -> None:
    run("users", "disable", "subscriber", "--data", data)
    before = count_rights(data)
    shown = run("load", one_person, "--dry-run", "--data", data).stdout.splitlines()
    assert shown[0] == "~ user CORP\\subscriber: email: subscriber@contoso.com -> sam@contoso.com"
    assert [each[:19] for each in shown[1:]] == ["Nothing was loaded."]
    enabling = one_person.with_name("enabling.toml")
    enabling.write_text(f"{ONE_PERSON}enabled = true\n")
    assert "CORP\\subscriber stays disabled" in run("load", enabling, "--dry-run", "--data", data).stdout.splitlines()[1]
    loaded = json.loads(run("load", one_person, "--data", data, "--json").stdout)
    assert (loaded["loaded"], loaded["users"], len(loaded["differences"])) == (True, 1, 1)
    assert count_rights(data) == before == 69
    assert [each["enabled"] for each in json.loads(run("users", "list", "--data", data, "--json").stdout)].count(False) == 1
    again = run("load", one_person, "--data", data)
    assert again.stdout.splitlines()[-1] == "New or changed: 0 users, 0 groups, 0 profile templates."


def test_a_program_has_to_say_that_rights_may_be_removed(data: Path, one_person: Path) -> None:
    before = count_rights(data)
    refused = run("load", one_person, "--replace", "--data", data)
    assert (refused.exit_code, "--yes" in refused.output) == (2, True)
    assert refused.output.count("- right ") == before == count_rights(data)
    assert run("load", one_person, "--replace", "--yes", "--data", data).exit_code == 0
    assert count_rights(data) == 0


@pytest.mark.parametrize(("answer", "rights"), [("n", 69), ("y", 0)])
def test_somebody_at_a_terminal_is_asked(answer: str, rights: int, data: Path, one_person: Path) -> None:
    status, told = certwright_on_terminal("load", one_person, "--replace", "--data", data, answers={"Load this?": answer})
    assert (status == 0) == (answer == "y"), told
    assert "- right administer on service: of Administrators" in told
    assert count_rights(data) == rights


def test_a_world_file_with_faults_is_refused_with_all_of_them(data: Path, tmp_path: Path) -> None:
    faulty = tmp_path / "world.toml"
    faulty.write_text('[domain]\nname = "X"\n[service.rights]\naudit = ["nobody"]\nadminister = ["nobody"]\n')
    result = run("load", faulty, "--data", data)
    assert result.exit_code == 1
    assert result.output.count("definition-invalid") == 2


def test_a_world_file_that_is_not_there_is_told_by_its_name(data: Path) -> None:
    result = run("load", "missing.toml", "--data", data)
    assert result.exit_code == 1
    assert "missing.toml: No such file" in result.output


def test_an_unknown_account_gets_no_password(data: Path) -> None:
    result = run("password", "nobody", "--data", data, variables={"CERTWRIGHT_PASSWORD": "x"})
    assert result.exit_code == 1
    assert "user-not-found" in result.output


def test_a_password_is_not_asked_of_a_program(data: Path) -> None:
    result = certwright("password", "subscriber", "--data", data)
    assert result.returncode == 2
    assert "--password-file" in result.stderr


# -- serve -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_server_starts_by_itself_answers_and_ends_cleanly(data: Path, by: signal.Signals) -> None:
    with serving(data) as server:
        tls = ssl.create_default_context(cafile=data / "ca.pem")
        answer = httpx.get(
            f"{server.url}/CertificateManagement/api/v1.0/profiletemplates", verify=tls, trust_env=False, timeout=120
        )
        assert answer.status_code == 401
        assert server.stop(by) == 0
    report = json.loads(run("audit", "verify", "--data", data, "--json").output)
    assert (report["unsealed"], report["faults"]) == (0, [])


def test_plain_http_is_served_on_loopback_only(data: Path) -> None:
    refused = run("serve", "--data", data, "--host", "0.0.0.0", "--http")
    assert refused.exit_code == 2
    assert "loopback" in refused.output
    with serving(data, "--http") as server:
        assert server.url.startswith("http://localhost:")
        url = f"{server.url}/certificatemanagement/api/v1.0/requests"
        assert httpx.get(url, trust_env=False, timeout=120).status_code == 401


def test_a_port_in_use_is_told_with_what_to_do(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = run("serve", "--data", data, "--port", str(listener.getsockname()[1]))
    assert result.exit_code == 1
    assert "address-unavailable" in result.output
    assert "--port" in result.output


def test_a_changed_name_makes_a_new_tls_certificate_and_an_unchanged_one_does_not(data: Path) -> None:
    identity = data / "tls" / "server.pem"
    before = identity.read_bytes()
    with serving(data):
        assert identity.read_bytes() == before
    (data / "certwright.toml").write_text('[server]\ntls_names = ["localhost", "ca.example.com"]\n')
    with serving(data) as server:
        assert identity.read_bytes() != before
        tls = ssl.create_default_context(cafile=data / "ca.pem")
        port = int(server.url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            tls.wrap_socket(plain, server_hostname="ca.example.com") as safe,
        ):
            assert ("DNS", "ca.example.com") in (safe.getpeercert() or {})["subjectAltName"]


def test_a_tls_certificate_near_its_end_is_renewed_at_a_start(data: Path) -> None:
    identity = data / "tls" / "server.pem"
    before = identity.read_bytes()
    (data / "certwright.toml").write_text('[server]\ntls_renew_before = "365 days"\n')
    with serving(data):
        # 397 days are left of the old one: more than 365.
        assert identity.read_bytes() == before
    identity.write_bytes(b"broken off")
    with serving(data):
        assert b"BEGIN CERTIFICATE" in identity.read_bytes()


# -- enroll ------------------------------------------------------------------------------------------------------------


def enroll_arguments(served: Served, out: Path, template: str = "Software Certificate") -> list[str | Path]:
    """Return the command line that enrolls the subscriber."""
    url = f"https://localhost:{served.port}"
    common = ["enroll", "--url", url, "--ca", served.installation.ca_file, "--user", "subscriber"]
    return [*common, "--template", template, "--out", out]


def test_a_certificate_is_enrolled_with_a_password_from_a_file(served: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(f"{PASSWORD}\n")
    result = run(*enroll_arguments(served, tmp_path / "out"), "--password-file", secret, "--json")
    assert result.exit_code == 0, result.output
    (enrolled,) = json.loads(result.stdout)["certificates"]
    assert enrolled["subject"] == "CN=Sam Subscriber,OU=People,DC=corp,DC=contoso,DC=com"
    assert stat.S_IMODE(Path(enrolled["key_file"]).stat().st_mode) == 0o600
    assert PASSWORD not in result.output


def test_openssl_accepts_what_was_written(served: Served, tmp_path: Path) -> None:
    result = run(*enroll_arguments(served, tmp_path), "--json", variables={"CERTWRIGHT_PASSWORD": PASSWORD})
    (enrolled,) = json.loads(result.stdout)["certificates"]
    root = served.installation.ca_file
    judged = subprocess.run(
        ["openssl", "verify", "-CAfile", root, "-untrusted", enrolled["chain_file"], enrolled["certificate_file"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert CHAIN_OK.search(judged.stdout), judged.stderr


@pytest.mark.parametrize(
    ("template", "count"), [("Strong Keys", 3), ("A039B4D0-5CE8-4EFF-8651-181C6576FDA3", 1), ("Strong Key P-384", 1)]
)
def test_every_kind_of_key_is_made_as_the_options_say(template: str, count: int, served: Served, tmp_path: Path) -> None:
    result = run(*enroll_arguments(served, tmp_path, template), "--json", variables={"CERTWRIGHT_PASSWORD": PASSWORD})
    assert len(json.loads(result.stdout)["certificates"]) == count


def test_questions_of_a_template_are_answered_on_the_command_line(served: Served, tmp_path: Path) -> None:
    arguments = enroll_arguments(served, tmp_path, "Virtual Smartcard VPN")
    variables = {"CERTWRIGHT_PASSWORD": PASSWORD}
    without = run(*arguments, variables=variables)
    assert (without.exit_code, "data-incomplete" in without.output) == (1, True)
    assert run(*arguments, "--item", "Request Reason", variables=variables).exit_code == 2
    assert run(*arguments, "--item", "Request Reason=Working from home", variables=variables).exit_code == 0


def test_a_wrong_password_is_told_with_the_servers_code(served: Served, tmp_path: Path) -> None:
    result = run(*enroll_arguments(served, tmp_path), variables={"CERTWRIGHT_PASSWORD": "wrong"})
    assert result.exit_code == 1
    assert "credentials-rejected" in result.output


def test_a_server_that_is_not_trusted_is_told_with_what_to_do(served: Served, tmp_path: Path) -> None:
    arguments = enroll_arguments(served, tmp_path)
    untrusting = [*arguments[:3], *arguments[5:]]
    result = run(*untrusting, variables={"CERTWRIGHT_PASSWORD": PASSWORD})
    assert result.exit_code == 1
    assert "--ca" in result.output


# -- audit -------------------------------------------------------------------------------------------------------------


def seal_and_tamper(data: Path, statement: str) -> Result:
    """Seal the history by a run of the server, do *statement* to the database, and verify."""
    with serving(data) as server:
        assert server.stop() == 0
    with sqlite3.connect(data / "certwright.db") as database:
        database.execute(statement)
    database.close()
    return run("audit", "verify", "--data", data, "--json")


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE events SET actor = 'somebody' WHERE sequence = 2", "event 2 was changed"),
        ("UPDATE events SET type = 'nonsense' WHERE sequence = 2", "event 2 cannot be read"),
        ("DELETE FROM events WHERE sequence = 2", "event 2 is missing"),
    ],
)
def test_a_history_that_was_tampered_with_is_found_out(statement: str, word: str, data: Path) -> None:
    result = seal_and_tamper(data, statement)
    assert result.exit_code == 1
    assert word in json.loads(result.output)["faults"]


def test_events_that_are_not_sealed_yet_are_counted_and_no_fault(data: Path) -> None:
    report = json.loads(run("audit", "verify", "--data", data, "--json").output)
    assert report["unsealed"] > 0
    assert report["faults"] == []


# -- demo --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a first demo made, which began after another was broken off, and all that it printed; tests copy it."""
    data = make_settled_folder(tmp_path_factory.mktemp("demo") / "data")
    (data / "passphrase").write_text("a passphrase of the first run\n")
    (data / "passphrase").chmod(0o600)
    first = certwright("demo", "--data", data, "--port", "0", "--once")
    assert first.returncode == 0, first.stderr
    return data, first.stdout


def find_demo_password(shown: str) -> str:
    found = re.search(r"Password +(\S+) +\(of all of them; shown this once\)", shown)
    assert found is not None, shown
    return found[1]


def query(data: Path, statement: str) -> list[tuple[object, ...]]:
    stored = sqlite3.connect(data / "certwright.db")
    try:
        return stored.execute(statement).fetchall()
    finally:
        stored.close()


def test_a_demo_shows_everything_and_stores_its_password_nowhere(demonstrated: tuple[Path, str]) -> None:
    data, shown = demonstrated
    assert re.search(r"Serial +([0-9A-F]+)", shown)
    assert "/certificatedata" in shown
    password = find_demo_password(shown)
    assert shown.count(password) == 1
    holders = [each for each in data.rglob("*") if each.is_file() and password.encode() in each.read_bytes()]
    assert holders == []


KEPT = {
    "password_hashes": "SELECT user_id, password_hash FROM password_hashes ORDER BY user_id",
    "grants": "SELECT object_kind, object_name, access_right, trustee FROM grants ORDER BY 1, 2, 3, 4",
    "group_members": "SELECT group_id, member_sid FROM group_members ORDER BY 1, 2",
    "users": "SELECT id, enabled FROM users ORDER BY 1",
    "templates": "SELECT id, version FROM profile_templates ORDER BY 1, 2",
    "withdrawn": "SELECT template_id FROM withdrawn_templates",
}


def test_a_demo_that_is_run_again_keeps_what_is_there(demonstrated: tuple[Path, str], tmp_path: Path) -> None:
    data, shown = shutil.copytree(demonstrated[0], tmp_path / "data"), demonstrated[1]
    for change in (
        ("rights", "revoke", "request-renew", "principal", "--on", "Subscribers", "--from", "Managers"),
        ("groups", "remove", "Approvers", "approver2"),
        ("users", "disable", "outsider"),
        ("templates", "withdraw", "Strong Keys"),
    ):
        assert run(*change, "--data", data).exit_code == 0, change
    own = {"CERTWRIGHT_PASSWORD": "a password of the manager's own"}
    assert run("password", "manager", "--data", data, variables=own).exit_code == 0
    before = {name: query(data, statement) for name, statement in KEPT.items()}
    again = ("demo", "--data", data, "--port", "0", "--once")
    unasked = certwright(*again)
    assert (unasked.returncode, "certwright password subscriber --data" in unasked.stderr) == (2, True)
    wrong = certwright(*again, variables={"CERTWRIGHT_PASSWORD": "not the password of the first run"})
    assert (wrong.returncode, "credentials-rejected" in wrong.stderr) == (1, True)
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(f"{find_demo_password(shown)}\n")
    second = certwright(*again, "--password-file", secret)
    assert second.returncode == 0, second.stderr
    assert "/certificatedata" in second.stdout
    assert re.search(r"to set a new one: \S*certwright password subscriber --data", second.stdout)
    assert find_demo_password(shown) not in second.stdout
    assert query(data, "SELECT count(*) FROM certificates") == [(2,)]
    assert {name: query(data, statement) for name, statement in KEPT.items()} == before


def test_a_demo_asks_at_a_terminal_for_the_password_of_the_first_run(demonstrated: tuple[Path, str], tmp_path: Path) -> None:
    data = shutil.copytree(demonstrated[0], tmp_path / "data")
    status, told = certwright_on_terminal(
        "demo", "--data", data, "--port", "0", "--once", answers={"Password of subscriber": find_demo_password(demonstrated[1])}
    )
    assert status == 0, told
    assert "The certificate" in told


def test_a_demo_leaves_an_installation_alone_that_it_has_not_made(data: Path) -> None:
    before = {name: query(data, statement) for name, statement in KEPT.items()}
    result = certwright("demo", "--data", data, "--port", "0", "--once")
    assert (result.returncode, "not-of-demo" in result.stderr) == (1, True)
    assert "Password" not in result.stdout
    assert {name: query(data, statement) for name, statement in KEPT.items()} == before


def test_a_demo_that_cannot_listen_ends_with_1(demonstrated: tuple[Path, str]) -> None:
    data, _ = demonstrated
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = certwright("demo", "--data", data, "--port", str(listener.getsockname()[1]), "--once")
    assert result.returncode == 1
    assert "address-unavailable" in result.stderr
    assert "Password" not in result.stdout


SECRET_NAME = re.compile("password|passphrase|secret|pin|token")


def list_options(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """Return every parameter of *command* and of what is under it."""
    yield from ((path, each) for each in command.params)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from list_options(below, (*path, name))


def test_no_option_takes_a_secret_itself() -> None:
    """What is on a command line stands in the list of processes, where every account of the machine reads it."""
    named = [(path, each) for path, each in list_options(main) if SECRET_NAME.search(str(each.name))]
    assert {("demo",), ("password",)} <= {path for path, _ in named}
    assert [(path, each.name) for path, each in named if not isinstance(each.type, click.Path)] == []


def test_make_takes_no_password_on_its_command_line(tmp_path: Path) -> None:
    done = subprocess.run(["make", "-n", "run", "PASSWORD=x"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, "PASSWORD_FILE=file" in done.stderr) == (2, True)
    told = subprocess.run(
        ["make", "-n", "run", f"PASSWORD_FILE={tmp_path}"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert f'--password-file "{tmp_path}"' in told.stdout
