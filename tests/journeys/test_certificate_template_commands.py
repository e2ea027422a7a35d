"""Certificate templates: listed, shown, added, changed and exported by commands, with the rules of an import."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certwright.bootstrap import open_installation
from certwright.wire.cli import main
from worlds.commands import FAST_SETTINGS

GROUP = "certificate-templates"
MAIL = ("--to", "Software Certificate", "--set", 'extended_key_usages=["1.3.6.1.5.5.7.3.4"]', "--set", "validity=180 days")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def done(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("certificate-templates") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    done("init", "--data", data)
    done("load", "demo", "--data", data)
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(installed, tmp_path / "data")


def show(name: str, data: Path) -> dict[str, object]:
    return dict(json.loads(done(GROUP, "show", name, "--json", "--data", data)))


def find_versions(data: Path) -> dict[str, int]:
    return {each["name"]: each["version"] for each in json.loads(done("templates", "list", "--json", "--data", data))}


def test_each_one_is_listed_once_with_what_issues_it(data: Path) -> None:
    listed = json.loads(done(GROUP, "list", "--json", "--data", data))
    world = tomllib.loads(done("export", "--data", data))
    assert [each["name"] for each in listed] == sorted(
        {each["common_name"] for each in world["certificate_templates"]}, key=str.casefold
    )
    for each in listed:
        issuing = [one["name"] for one in world["profile_templates"] if each["name"] in one["certificate_templates"]]
        assert each["profile_templates"] == sorted(issuing, key=str.casefold)
    shown = done(GROUP, "list", "--data", data)
    assert all(each["name"] in shown for each in listed)


def test_one_is_shown_in_any_case_to_people_and_programs(data: Path) -> None:
    told = show("softwareuser", data)
    assert (told["name"], told["profile_templates"], told["enroll"]) == (
        "SoftwareUser",
        ["Software Certificate"],
        ["Subscribers"],
    )
    assert told["definition"]["common_name"] == "SoftwareUser"
    text = done(GROUP, "show", "SoftwareUser", "--data", data)
    for line in (str(told["oid"]), "issued by               Software Certificate", "key                     RSA, 2048 bits"):
        assert line in text


def test_a_wrong_name_is_answered_with_what_was_meant(data: Path) -> None:
    refused = run(GROUP, "show", "SoftwareUsr", "--data", data)
    assert refused.exit_code == 1
    assert "certificate-template-not-found" in refused.output
    assert "Did you mean one of these: SoftwareUser, ManagedSoftwareUser?" in refused.output
    assert run(GROUP, "edit", "Nothing", "--set", "validity=1d", "--data", data).exit_code == 1
    assert run(GROUP, "export", "Nothing", "--data", data).exit_code == 1


def test_a_change_makes_a_new_version_of_what_issues_it_and_keeps_the_rest(data: Path) -> None:
    before, versions = show("SoftwareUser", data), find_versions(data)
    told = done(GROUP, "edit", "SoftwareUser", "--set", "validity=180 days", "--set", "key.bits=3072", "--data", data)
    assert told == "New or changed: 1 profile template.\n  Software Certificate, version 2\n"
    after = show("SoftwareUser", data)
    assert after["oid"] == before["oid"]
    assert after["enroll"] == before["enroll"]
    assert after["definition"]["validity"] == "180 days"
    assert after["definition"]["key"]["bits"] == 3072
    assert find_versions(data) == versions | {"Software Certificate": 2}
    same = json.loads(done(GROUP, "edit", "SoftwareUser", "--set", "validity=180 days", "--json", "--data", data))
    assert same == {"templates": []}


def test_one_is_added_behind_the_others_with_who_may_enroll_it(data: Path) -> None:
    told = done(GROUP, "add", "Mail", *MAIL, "--enroll", "Subscribers", "--data", data)
    assert "Software Certificate, version 2" in told
    assert show("Mail", data)["enroll"] == ["Subscribers"]
    assert str(show("Mail", data)["oid"]).startswith("1.3.6.1.4.1.311.21.8.")
    with open_installation(data) as installation, installation.world.store.reading() as session:
        (issuing,) = (each for each in session.templates.list_newest() if each.name == "Software Certificate")
        grants = session.directory.load_grants()
    assert [each.common_name for each in issuing.certificate_templates] == ["SoftwareUser", "Mail"]
    assert issuing.certificate_templates[1].validity.days == 180
    assert len(issuing.policies) > 1, "what else the profile template says is kept"
    assert [each for each in grants if each.object_name == "SoftwareUser"], "and so are other rights"
    refused = run(GROUP, "add", "mail", *MAIL, "--data", data)
    assert "there is a certificate template Mail already" in refused.output


def test_what_an_import_would_refuse_is_refused(data: Path) -> None:
    versions = find_versions(data)
    for assignment, reason in (
        ("subject=request", "ESC1"),
        ("extended_key_usages=[]", "ESC2"),
        ("key.bits=1024", "1024 bits"),
        ("colour=red", "colour"),
        ("validity=soon", "validity"),
    ):
        refused = run(GROUP, "edit", "SoftwareUser", "--set", assignment, "--data", data)
        assert (refused.exit_code, reason in refused.output) == (1, True), refused.output
    assert "profile-template-not-found" in run(GROUP, "add", "Mail", "--to", "Nothing", "--data", data).output
    assert find_versions(data) == versions


@pytest.mark.parametrize("assignment", ["validity", "=1", "key.=1", "common_name=Other"])
def test_what_is_no_assignment_is_a_wrong_command_line(data: Path, assignment: str) -> None:
    refused = run(GROUP, "edit", "SoftwareUser", "--set", assignment, "--data", data)
    assert (refused.exit_code, "is not KEY=VALUE" in refused.output) == (2, True)
    assert run(GROUP, "edit", "SoftwareUser", "--data", data).exit_code == 2


def test_what_is_exported_changes_nothing_when_it_is_imported(data: Path, tmp_path: Path) -> None:
    versions = find_versions(data)
    file = tmp_path / "certificate-templates.toml"
    file.write_text(done(GROUP, "export", "--data", data))
    assert "New or changed: 0 profile templates." in done("templates", "import", file, "--data", data)
    assert find_versions(data) == versions
    file.write_text(done(GROUP, "export", "SoftwareUser", "--data", data))
    tables = tomllib.loads(file.read_text())
    assert list(tables) == ["certificate_templates"]
    assert json.loads(done(GROUP, "export", "SoftwareUser", "--json", "--data", data)) == tables
