"""An administrator at the command line: templates, requests, people, rights, and why somebody may or may not."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certwright.application.create_request import RequestWish, create_request
from certwright.application.explain_access import get_template_named
from certwright.bootstrap import open_installation
from certwright.domain.account_names import find_named
from certwright.domain.events import Event
from certwright.domain.identities import Caller
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from certwright.wire.cli import main
from certwright.wire.cli.operators import find_operator
from worlds.commands import FAST_SETTINGS
from worlds.served import PASSWORD

SECRET = {"CERTWRIGHT_PASSWORD": PASSWORD}


def run(*arguments: str | Path, variables: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=variables)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("administered") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    for command in (("init",), ("load", "demo")):
        assert run(*command, "--data", data).exit_code == 0
    for account in ("approver", "approver2", "manager"):
        assert run("password", account, "--data", data, variables=SECRET).exit_code == 0
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(installed, copy)
    return copy


def open_managed(data: Path) -> RequestId:
    """Return a request of the manager for the subscriber, which waits for two approvals."""
    with open_installation(data) as installation:
        with installation.world.store.reading() as session:
            manager, subscriber = (find_named(each, session.directory) for each in ("manager", "subscriber"))
            template = get_template_named("Managed Software Certificate", session)
        assert manager is not None
        assert subscriber is not None
        wish = RequestWish(operation=Operation.ENROLL, template_id=template.id, target_id=subscriber.user.id)
        by = Caller(manager.user, manager.sids, "a test")
        return create_request(wish, by=by, world=installation.world).id


def list_events(data: Path) -> list[Event]:
    with open_installation(data) as installation, installation.world.store.reading() as session:
        return [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event)]


def test_a_request_is_approved_by_those_who_prove_who_they_are(data: Path) -> None:
    request = open_managed(data)
    (pending,) = json.loads(run("requests", "list", "--status", "pending", "--json", "--data", data).stdout)
    assert (pending["id"], pending["originator"]) == (str(request), "CORP\\manager")

    wrong = run(
        "requests", "approve", str(request), "--user", "approver", "--data", data, variables={"CERTWRIGHT_PASSWORD": "x"}
    )
    assert (wrong.exit_code, "credentials-rejected" in wrong.output) == (1, True)
    own = run("requests", "approve", str(request), "--user", "manager", "--data", data, variables=SECRET)
    assert "nobody approves a request of his own" in own.output

    for user, status in (("approver", "pending: 1 of 2 approvals"), ("approver2", "approved: 2 of 2 approvals")):
        done = run("requests", "approve", str(request), "--user", user, "--data", data, variables=SECRET)
        assert done.output == f"The request is {status}.\n"
    shown = json.loads(run("requests", "show", str(request), "--json", "--data", data).stdout)
    assert [each["approver"] for each in shown["approvals"]] == ["CORP\\approver", "CORP\\approver2"]
    approvals = [each for each in list_events(data) if each.type == "request.approved"]
    assert [each.details["approvals"] for each in approvals] == ["1 of 2", "2 of 2"]
    assert {each.source for each in approvals} == {f"command line of {find_operator()}"}


def test_a_denied_request_is_shown_so(data: Path) -> None:
    request = open_managed(data)
    comment = ("--comment", "no budget")
    denied = run("requests", "deny", str(request), "--user", "approver", *comment, "--data", data, variables=SECRET)
    assert denied.output == "The request is denied.\n"
    shown = run("requests", "show", str(request), "--data", data).output
    assert "denied" in shown
    assert "no budget" in shown


def test_access_is_explained_place_by_place(data: Path) -> None:
    asked = ("--template", "software certificate", "--type", "renew", "--target", "subscriber", "--data", data)
    no = run("access", "explain", "--user", "helpdesk", *asked).output
    assert no.startswith("helpdesk may NOT start this request:")
    assert "yes  profile-template 12bd5120-86a2-4ee1-8d05-131066871578: read (through Help Desk)" in no
    assert "NO   policy: initiator: The policy does not name you as initiator." in no
    assert "NO   principal CORP\\subscriber: request-renew: No request-renew over CORP\\subscriber." in no
    (yes,) = json.loads(run("access", "explain", "--user", "manager", *asked, "--json").stdout)
    assert (yes["allowed"], yes["needs"]) == (True, "all")
    assert all(each["holds"] for each in yes["findings"])

    request = open_managed(data)
    decisions = json.loads(
        run("access", "explain", "--user", "manager", "--request", str(request), "--data", data, "--json").stdout
    )
    allowed = {each["act"]: each["allowed"] for each in decisions}
    assert allowed == {
        "read this request": True,
        "execute this request": False,
        "end this request": True,
        "approve or deny this request": False,
    }


def test_a_right_counts_at_once_and_is_told_with_who_gave_it(data: Path) -> None:
    asked = ("access", "explain", "--user", "helpdesk", "--template", "Software Certificate", "--type", "renew")
    asked = (*asked, "--target", "subscriber", "--data", str(data))
    before = len(list_events(data))
    given = run("rights", "grant", "request-renew", "principal", "--on", "Subscribers", "--to", "Help Desk", "--data", data)
    assert given.output == "The right is given.\n"
    assert "yes  principal CORP\\subscriber: request-renew (through Help Desk)" in run(*asked).output
    again = run("rights", "grant", "request-renew", "principal", "--on", "Subscribers", "--to", "Help Desk", "--data", data)
    assert again.output == "The right was given before.\n"
    run("rights", "revoke", "request-renew", "principal", "--on", "Subscribers", "--from", "Help Desk", "--data", data)
    assert "NO   principal CORP\\subscriber: request-renew" in run(*asked).output
    changes = list_events(data)[before:]
    assert [each.type for each in changes] == ["right.granted", "right.revoked"]
    assert {each.actor for each in changes} == {find_operator()}


@pytest.mark.parametrize(
    "command",
    [
        ("rights", "grant", "audit", "service", "--to", "Help Desk"),
        ("rights", "grant", "administer", "service", "--to", "Auditors"),
        ("rights", "grant", "operate-ca", "service", "--to", "auditor"),
        ("groups", "add", "Auditors", "approver"),
        ("groups", "add", "Managers", "caoperator"),
        ("groups", "add", "Administrators", "auditor"),
    ],
)
def test_roles_that_are_kept_apart_are_not_combined(command: tuple[str, ...], data: Path) -> None:
    before = len(list_events(data))
    refused = run(*command, "--data", data)
    assert (refused.exit_code, "roles-combined" in refused.output) == (1, True)
    assert len(list_events(data)) == before

    settings = data / "certwright.toml"
    settings.write_text(f"{settings.read_text()}\n[access]\nallow_combined_roles = true\n")
    relaxed = run(*command, "--data", data)
    assert relaxed.exit_code == 0
    assert "WARNING: " in relaxed.output
    assert any(each.type == "roles.combined" for each in list_events(data)[before:])


def test_groups_that_would_hold_each_other_are_refused(data: Path) -> None:
    assert run("groups", "add", "Managers", "Approvers", "--data", data).exit_code == 0
    refused = run("groups", "add", "Approvers", "Managers", "--data", data)
    assert "they hold each other: " in refused.output
    groups = {each["group"]: each["members"] for each in json.loads(run("groups", "list", "--json", "--data", data).stdout)}
    assert groups["Approvers"] == ["CORP\\approver", "CORP\\approver2"]
    assert run("groups", "remove", "Managers", "Approvers", "--data", data).output == "Done.\n"


def test_an_account_is_switched_off_and_on(data: Path) -> None:
    assert run("users", "disable", "outsider", "--data", data).output == "Done.\n"
    found = json.loads(run("users", "list", "--json", "--data", data).stdout)
    assert [each["account"] for each in found if not each["enabled"]] == ["CORP\\outsider"]
    assert run("users", "enable", "outsider", "--data", data).output == "Done.\n"
    assert "user-not-found" in run("users", "enable", "nobody", "--data", data).output


def test_versions_of_a_template_are_kept_and_compared(data: Path, tmp_path: Path) -> None:
    demo = Path("src/certwright/worlds/demo.toml").read_text()
    changed = tmp_path / "changed.toml"
    changed.write_text(demo.replace("approvals_needed = 2\n", "approvals_needed = 1\n"))
    assert run("templates", "validate", changed).output == "10 profile templates, nothing wrong.\n"
    assert run("load", changed, "--data", data).exit_code == 0
    named = [each for each in json.loads(run("templates", "list", "--json", "--data", data).stdout) if each["version"] == 2]
    assert [each["name"] for each in named] == ["Managed Software Certificate"]
    diff = run("templates", "diff", "Managed Software Certificate", "1", "2", "--data", data).output.splitlines()
    assert [line for line in diff if line[:1] in "+-"][2:] == ["-approvals_needed = 2", "+approvals_needed = 1"]
    changed.write_text(demo.replace("approvals_needed = 2\n", "approvals_needed = 3\n"))
    refused = run("load", changed, "--data", data)
    assert "3 approvals are needed, and 2 people can give one" in refused.output
    changed.write_text(demo.replace("approvals_needed = 2\n", "approvals_nedeed = 2\n"))
    assert "changed.toml line " in run("templates", "validate", changed).output


def test_a_template_is_exported_changed_looked_at_and_imported(data: Path, tmp_path: Path) -> None:
    shown = run("templates", "show", "managed software certificate", "--data", data).output
    assert "started by Managers; 2 approvals by Approvers; asks Cost Centre, Badge, Language" in shown
    file = tmp_path / "managed.toml"
    file.write_text(run("templates", "export", "managed software certificate", "--data", data).stdout)
    assert run("templates", "validate", file).output == "1 profile template, nothing wrong.\n"
    assert run("templates", "diff", file, "--data", data).output == ""
    file.write_text(file.read_text().replace("approvals_needed = 2", "approvals_needed = 3"))
    assert run("templates", "validate", file).exit_code == 0
    for command in (("validate", file), ("diff", file), ("import", file)):
        refused = run("templates", *command, "--data", data)
        assert (refused.exit_code, "managed.toml line " in refused.output) == (1, True)
        assert "approvals_needed: 3 approvals are needed, and 2 people can give one" in refused.output
    file.write_text(file.read_text().replace("approvals_needed = 3", "approvals_needed = 1"))
    diff = run("templates", "diff", file, "--data", data).output.splitlines()
    assert [line for line in diff if line[:1] in "+-"][2:] == ["-approvals_needed = 2", "+approvals_needed = 1"]
    imported = json.loads(run("templates", "import", file, "--json", "--data", data).stdout)["templates"]
    assert [(each["name"], each["version"]) for each in imported] == [("Managed Software Certificate", 2)]
    again = run("templates", "import", file, "--data", data)
    assert again.output == "New or changed: 0 profile templates.\n"
    old = run("templates", "export", "Managed Software Certificate", "--version", "1", "--data", data)
    assert "approvals_needed = 2  # how many different people" in old.output
    told = [each for each in list_events(data) if each.type == "profile-templates.imported"]
    assert [(each.actor, each.details["name"]) for each in told] == [(find_operator(), "managed.toml")] * 2
    assert "is for certwright load" not in run("templates", "import", file, "--data", data).output
    assert "is for certwright load" in run("templates", "import", "demo", "--data", data).output
    assert "certwright templates import" in run("load", file, "--data", data).output


def test_a_template_with_open_requests_is_not_withdrawn(data: Path) -> None:
    request = open_managed(data)
    refused = run("templates", "withdraw", "Managed Software Certificate", "--data", data)
    assert "template-in-use" in refused.output
    run("requests", "deny", str(request), "--user", "approver", "--data", data, variables=SECRET)
    assert run("templates", "withdraw", "Managed Software Certificate", "--data", data).exit_code == 0
    assert "profile-template-not-found" in run("templates", "show", "Managed Software Certificate", "--data", data).output
    assert "denied" in run("requests", "show", str(request), "--data", data).output
    assert run("load", "demo", "--data", data).exit_code == 0
    assert run("templates", "show", "Managed Software Certificate", "--data", data).exit_code == 0
