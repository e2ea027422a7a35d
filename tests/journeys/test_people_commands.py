"""People, groups and rights: added, changed and exported by commands, without an identifier made by hand."""

import json
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from certwright.bootstrap import open_installation
from certwright.domain.events import Event
from certwright.wire.cli import main
from certwright.wire.cli.operators import find_operator
from worlds.commands import FAST_SETTINGS

ALICE = ("users", "add", "alice", "--principal-name", "alice@corp.contoso.com", "--display-name", "Alice Example")
ALICE = (*ALICE, "--distinguished-name", "CN=Alice Example,DC=corp,DC=contoso,DC=com")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def done(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("people") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    done("init", "--data", data)
    done("load", "demo", "--data", data)
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(installed, tmp_path / "data")


def list_events(data: Path) -> list[Event]:
    with open_installation(data) as installation, installation.world.store.reading() as session:
        return [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event)]


def get_account(account: str, data: Path) -> dict[str, object]:
    (found,) = (each for each in json.loads(done("users", "list", "--json", "--data", data)) if each["account"] == account)
    return dict(found)


def test_an_account_is_added_with_identifiers_of_its_own(data: Path) -> None:
    before = len(list_events(data))
    assert done(*ALICE, "--data", data) == "+ user CORP\\alice: CN=Alice Example,DC=corp,DC=contoso,DC=com\n"
    added = get_account("CORP\\alice", data)
    assert UUID(str(added["id"])).int
    # It is of no Windows domain: neither of the demo's nor of one that another account has.
    done("users", "add", "CORP\\bob", *ALICE[3:4], "bob@corp.contoso.com", *ALICE[5:], "--data", data)
    sids = [str(get_account(f"CORP\\{each}", data)["sid"]).rpartition("-")[0] for each in ("alice", "bob", "subscriber")]
    assert len(set(sids)) == 3
    told = list_events(data)[before:]
    assert [(each.type, each.actor, each.details["account"]) for each in told] == [
        ("user.changed", find_operator(), "CORP\\alice"),
        ("user.changed", find_operator(), "CORP\\bob"),
    ]


def test_an_account_of_a_windows_domain_keeps_its_identifiers(data: Path) -> None:
    known = ("--id", "8f1590dc-d932-4b66-8e68-2e91c5880999", "--sid", "S-1-5-21-1-2-3-1104")
    done(*ALICE, *known, "--data", data)
    found = get_account("CORP\\alice", data)
    assert (found["id"], found["sid"]) == (known[1], known[3])


def test_what_cannot_be_added_is_said_by_its_key(data: Path) -> None:
    nameless = run("users", "add", "alice", "--data", data)
    for each in ("principal_name", "display_name", "distinguished_name"):
        assert nameless.output.count(f"users.alice.{each}: ") == 1
    done(*ALICE, "--data", data)
    assert "there is an account alice already" in run(*ALICE, "--data", data).output
    faulty = run("users", "edit", "alice", "--email", "x", "--distinguished-name", "x", "--data", data)
    assert faulty.output.count("definition-invalid: users.alice.") == 2
    assert "user-not-found" in run("users", "edit", "nobody", "--email", "x@example.com", "--data", data).output
    taken = run("users", "edit", "alice", "--principal-name", "subscriber@corp.contoso.com", "--data", data)
    assert (taken.exit_code, "CORP\\subscriber" in taken.output) == (1, True)


def test_an_account_is_edited_and_everything_else_about_it_stays(data: Path) -> None:
    before = get_account("CORP\\outsider", data)
    done("users", "disable", "outsider", "--data", data)
    told = done("users", "edit", "outsider", "--email", "olga@example.com", "--data", data)
    assert told == "~ user CORP\\outsider: email: outsider@contoso.com -> olga@example.com\n"
    assert done("users", "edit", "outsider", "--email", "olga@example.com", "--data", data) == "No change.\n"
    assert get_account("CORP\\outsider", data) == {**before, "enabled": False}


def test_a_group_is_created_renamed_and_given_a_right(data: Path) -> None:
    done(*ALICE, "--data", data)
    told = done("groups", "create", "Developers", "--member", "alice", "--member", "Managers", "--data", data)
    assert told.splitlines() == [
        "+ group Developers",
        "+ member CORP\\alice: of Developers",
        "+ member Managers: of Developers",
    ]
    assert "already" in run("groups", "create", "help desk", "--data", data).output
    assert "there is no account or group nobody" in run("groups", "create", "X", "--member", "nobody", "--data", data).output
    right = ("enroll", "profile-template", "--on", "Software Certificate")
    done("rights", "grant", *right, "--to", "Developers", "--data", data)
    assert done("groups", "rename", "Developers", "Builders", "--data", data) == (
        "~ group Builders: name: Developers -> Builders\n"
    )
    held = json.loads(done("rights", "list", "--json", "--data", data))
    assert [(each["right"], each["kind"]) for each in held if each["trustee"] == "Builders"] == [("enroll", "profile-template")]


def test_a_file_needs_no_identifiers_and_no_more_than_what_changes(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    file.write_text(
        """
[domain]
name = "CORP"

[[users]]
account = "alice"
principal_name = "alice@corp.contoso.com"
display_name = "Alice Example"
distinguished_name = "CN=Alice Example,DC=corp,DC=contoso,DC=com"

[[users]]
account = "subscriber"
email = "sam@example.com"

[[groups]]
name = "Subscribers"
members = ["alice"]

[[groups]]
name = "Developers"
members = ["alice", "Managers"]

[[rights]]
right = "request-renew"
kind = "principal"
on = "Developers"
to = ["Help Desk"]
"""
    )
    shown = done("load", file, "--data", data).splitlines()
    assert shown == [
        "+ user CORP\\alice: CN=Alice Example,DC=corp,DC=contoso,DC=com",
        "~ user CORP\\subscriber: email: subscriber@contoso.com -> sam@example.com",
        "+ member CORP\\alice: of Subscribers",
        "+ group Developers",
        "+ member CORP\\alice: of Developers",
        "+ member Managers: of Developers",
        "+ right request-renew on principal Developers: of Help Desk",
        "New or changed: 2 users, 2 groups, 0 profile templates.",
    ]
    first = get_account("CORP\\alice", data)
    assert done("load", file, "--data", data).splitlines() == ["New or changed: 0 users, 0 groups, 0 profile templates."]
    assert get_account("CORP\\alice", data) == first


@pytest.mark.parametrize(
    ("right", "detail"),
    [
        ('right = "audit"\nkind = "principal"\non = "Subscribers"', "rights[0].right: on a principal it is one of"),
        ('right = "enroll"\nkind = "profile-template"\non = "X"', "rights[0].on: there is no profile-template X"),
        ('right = "enroll"\nkind = "certificate-template"\non = "X"', "rights[0].on: there is no certificate-template X"),
        ('right = "audit"\nkind = "service"\non = "X"', "rights[0].on: there is no service X"),
        ('right = "request-renew"\nkind = "principal"\non = "X"', "rights[0].on: there is no principal X"),
    ],
)
def test_a_right_that_means_nothing_is_told_with_its_line(right: str, detail: str, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "rights.toml"
    file.write_text(f'[domain]\nname = "CORP"\n[[rights]]\n{right}\nto = ["Managers"]\n')
    refused = run("load", file, "--data", data)
    assert refused.exit_code == 1
    assert f"rights.toml line {4 if '].right' in detail else 6}: {detail}" in refused.output


def make_odd(data: Path) -> None:
    """Change the installation into one that has everything that a file could get wrong."""
    done(*ALICE, "--data", data)
    done("users", "disable", "alice", "--data", data)
    quoted = ("--display-name", 'Bob "the builder" \\ \N{SNOWMAN}', "--distinguished-name", "CN=B\\, ob,O=Contoso \\+ Co")
    done("users", "add", "OTHER\\alice", "--principal-name", "alice@other.example", *quoted, "--data", data)
    done("groups", "create", 'Quoted "\\" #', "--member", "OTHER\\alice", "--member", "CORP\\alice", "--data", data)
    done("groups", "create", "Empty", "--data", data)
    done("rights", "grant", "read", "profile-template", "--on", "Strong Keys", "--to", "everyone", "--data", data)
    done("rights", "grant", "request-enroll", "principal", "--on", "OTHER\\alice", "--to", "Empty", "--data", data)


@pytest.mark.parametrize("what", [("export",), ("users", "export"), ("groups", "export"), ("rights", "export")])
def test_what_is_exported_loads_again_unchanged(what: tuple[str, ...], data: Path, tmp_path: Path) -> None:
    make_odd(data)
    file = tmp_path / "exported.toml"
    file.write_text(done(*what, "--data", data))
    loaded = json.loads(done("load", file, "--json", "--data", data))
    assert (loaded["differences"], loaded["kept_disabled"]) == ([], [])
    if what in (("export",), ("rights", "export")):
        assert json.loads(done("load", file, "--replace", "--json", "--data", data))["differences"] == []
    assert done(*what, "--data", data) == file.read_text()


def test_an_exported_world_makes_another_installation_the_same(data: Path, tmp_path: Path) -> None:
    make_odd(data)
    file, other = tmp_path / "exported.toml", tmp_path / "other"
    file.write_text(done("export", "--data", data))
    other.mkdir()
    (other / "certwright.toml").write_text(FAST_SETTINGS)
    done("init", "--data", other)
    done("load", file, "--data", other)
    assert done("export", "--data", other) == file.read_text()
    for listing in (("users", "list"), ("groups", "list"), ("rights", "list")):
        first, second = (json.loads(done(*listing, "--json", "--data", each)) for each in (data, other))
        assert sorted(map(str, first)) == sorted(map(str, second))


NEW_TEMPLATES = """
[[certificate_templates]]
common_name = "LaptopUser"
extended_key_usages = ["1.3.6.1.5.5.7.3.2"]
rights.enroll = ["Subscribers"]

[[profile_templates]]
name = "Laptops"
certificate_templates = ["LaptopUser", "SigningUser"]
rights.read = ["Subscribers"]
rights.enroll = ["Subscribers"]
[profile_templates.policies.enroll]
self_service = true
"""


def list_templates(data: Path) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in json.loads(done("templates", "list", "--json", "--data", data))}


def test_templates_are_added_without_identifiers_and_with_a_certificate_template_that_is_there(
    data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "laptops.toml"
    file.write_text(NEW_TEMPLATES)
    done("templates", "import", file, "--data", data)
    added = list_templates(data)["Laptops"]
    assert UUID(str(added["id"])).int
    assert json.loads(done("templates", "import", file, "--json", "--data", data))["templates"] == []
    exported = done("templates", "export", "Laptops", "--data", data)
    assert exported.count('\noid = "1.3.6.1.4.1.311.21.8.') == 2
    file.write_text(exported.replace("self_service = true", "self_service = true\ncollect_comments = false"))
    done("templates", "import", file, "--data", data)
    assert list_templates(data)["Laptops"] == {**added, "version": 2}


def test_a_certificate_template_is_edited_alone_and_changes_wherever_it_is(data: Path, tmp_path: Path) -> None:
    before = list_templates(data)
    file = tmp_path / "signing.toml"
    file.write_text(
        '[[certificate_templates]]\ncommon_name = "SigningUser"\ndisplay_name = "Signing"\nvalidity = "90 days"\n'
        'alternative_names = ["principal-name", "email"]\nkey_usages = ["digital-signature"]\n'
        'extended_key_usages = ["1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.10.3.12"]\n'
    )
    done("templates", "import", file, "--data", data)
    changed = {name for name, each in list_templates(data).items() if each != before[name]}
    assert "Signing and Archived Encryption" in changed
    shown = done("templates", "export", "Signing and Archived Encryption", "--data", data)
    assert 'validity = "90 days"' in shown
    assert 'oid = "1.3.6.1.4.1.311.21.8.15204170.8921733.12471478.10012903.4460417.77.1005"' in shown
    file.write_text(file.read_text().replace("SigningUser", "UnusedUser"))
    refused = run("templates", "import", file, "--data", data)
    assert (refused.exit_code, "UnusedUser: no profile template has it" in refused.output) == (1, True)


def test_a_group_is_deleted_when_nothing_names_it(data: Path) -> None:
    done("groups", "create", "Developers", "--member", "subscriber", "--member", "manager", "--data", data)
    before = len(list_events(data))
    assert done("groups", "delete", "developers", "--data", data) == "The group Developers is deleted.\n"
    (told,) = (each for each in list_events(data)[before:] if each.type != "state.noted")
    assert (told.type, told.actor, told.details["group"]) == ("group.deleted", find_operator(), "Developers")
    assert "Developers" not in done("groups", "list", "--data", data)
    assert get_account("CORP\\subscriber", data)["enabled"]
    assert "group-not-found" in run("groups", "delete", "Developers", "--data", data).output
    assert json.loads(run("audit", "verify", "--data", data, "--json").stdout)["faults"] == []
    # What is free again is free for another one.
    done("groups", "create", "Developers", "--data", data)


def test_a_group_that_something_names_is_not_deleted(data: Path) -> None:
    done("groups", "create", "Developers", "--data", data)
    done("groups", "create", "Everyone at work", "--member", "Developers", "--data", data)
    done("rights", "grant", "audit", "service", "--to", "Developers", "--data", data)
    done("rights", "grant", "request-renew", "principal", "--on", "Developers", "--to", "manager", "--data", data)
    refused = run("groups", "delete", "Developers", "--data", data)
    assert refused.exit_code == 1
    for use in (
        "group-in-use",
        "it has the right audit on the service",
        "CORP\\manager has the right request-renew over it",
        "the group Everyone at work holds it",
    ):
        assert use in " ".join(refused.output.split()), refused.output
    done("rights", "revoke", "audit", "service", "--from", "Developers", "--data", data)
    done("rights", "revoke", "request-renew", "principal", "--on", "Developers", "--from", "manager", "--data", data)
    done("groups", "remove", "Everyone at work", "Developers", "--data", data)
    done("groups", "delete", "Developers", "--data", data)


def test_a_group_that_a_policy_names_is_not_deleted(data: Path) -> None:
    done("groups", "create", "Boards", "--member", "approver", "--member", "approver2", "--data", data)
    text = done("templates", "export", "Strong Key P-256", "--data", data)
    changed = data / "changed.toml"
    enroll = text.index("[profile_templates.policies.enroll]")
    assert "initiators = [" in text[enroll:]
    changed.write_text(text[:enroll] + text[enroll:].replace("initiators = [", 'initiators = ["Boards", ', 1))
    done("templates", "import", changed, "--data", data)
    refused = run("groups", "delete", "Boards", "--data", data)
    assert "the profile template Strong Key P-256 names it for enroll" in " ".join(refused.output.split()), refused.output
    changed.write_text(text)
    done("templates", "import", changed, "--data", data)
    done("groups", "delete", "Boards", "--data", data)
