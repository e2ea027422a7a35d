"""How the command line finds the installation, answers what cannot be, and explains itself."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from certwright.wire.cli import main
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.opening import DATA_VARIABLE, find_demo_folder
from worlds.commands import FAST_SETTINGS
from worlds.served import PASSWORD


def run(*arguments: str | Path, variables: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=variables)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation of the demo world in ./data."""
    folder = tmp_path_factory.mktemp("home")
    data = folder / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    assert run("init", "--data", data).exit_code == 0
    assert run("load", "demo", "--data", data).exit_code == 0
    return folder


def list_commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with what one types for it."""
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from list_commands(found, (*path, name))


ALL = list(list_commands(main))

# -- which installation ------------------------------------------------------------------------------------------------


def test_the_installation_in_the_folder_called_data_is_meant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    assert run("keys", "list").exit_code == 0


def test_the_demo_is_in_the_folder_called_data_without_a_question(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.chdir(home)
    # There is an installation of somebody's there, which the demo leaves alone: this is where it looked.
    refused = run("demo", "--once")
    assert (refused.exit_code, "not-of-demo" in refused.output) == (1, True), refused.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
def test_the_demo_leaves_the_installation_of_another_account_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert find_demo_folder() == Path("data")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "certwright.toml").touch()
    os.chown(tmp_path / "data" / "certwright.toml", 4_242, -1)
    refused = run("demo", "--once")
    assert (refused.exit_code, "another account's" in refused.output) == (2, True)


def test_the_environment_says_which_installation_is_meant(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("keys", "list", variables={DATA_VARIABLE: str(home / "data")}).exit_code == 0
    named = run("keys", "list", "--data", tmp_path / "other", variables={DATA_VARIABLE: str(home / "data")})
    assert "installation-missing" in named.output


def test_a_folder_of_another_account_is_not_taken_for_the_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes files of others")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "certwright.toml").touch()
    os.chown(tmp_path / "data" / "certwright.toml", 12_345, 12_345)
    refused = run("keys", "list")
    assert refused.exit_code != 0
    assert not (tmp_path / "data" / "certwright.db").exists()
    assert "data/certwright.db" not in refused.output
    assert "installation" in refused.output.lower()


def test_without_an_installation_it_is_said_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    refused = run("keys", "list")
    if not Path("/var/lib/certwright/certwright.toml").exists():
        assert refused.exit_code == 2
        assert "--data" in refused.output
        assert DATA_VARIABLE in refused.output


# -- what cannot be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("lod", "demo"), "Did you mean load?"),
        (("audit", "verfy"), "Did you mean verify?"),
        (("keys", "list", "--dta", "x"), "--data"),
        (("requests", "list", "--status", "pendig"), "Did you mean pending?"),
        (("mail", "preview", "create-reqest"), "Did you mean one of these: create-request,"),
    ],
)
def test_a_wrong_word_is_answered_with_the_one_that_was_meant(arguments: tuple[str, ...], meant: str) -> None:
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert meant in refused.output


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (
            ("access", "explain", "--user", "subscribr", "--template", "Strong Keys", "--type", "Enroll"),
            "one of these: subscriber,",
        ),
        (
            ("access", "explain", "--user", "subscriber", "--template", "Strnog Keys", "--type", "Enroll"),
            "one of these: Strong Keys,",
        ),
    ],
)
def test_a_wrong_name_is_answered_with_one_that_there_is(arguments: tuple[str, ...], meant: str, home: Path) -> None:
    refused = run(*arguments, "--data", home / "data")
    assert refused.exit_code == 1
    assert f"Did you mean {meant}" in refused.output


def test_a_wrong_choice_of_many_is_not_answered_with_all_of_them(home: Path) -> None:
    refused = run("audit", "list", "--type", "request.creatd", "--data", home / "data")
    assert "there is request.created" in refused.output
    assert refused.exit_code == 1
    assert len(refused.output) < 250
    assert len(run("audit", "types").output.splitlines()) > 60


def test_with_json_a_refusal_is_an_object_too(home: Path) -> None:
    arguments = ("access", "explain", "--user", "subscribr", "--template", "Strong Keys", "--type", "Enroll", "--json")
    refused = run(*arguments, "--data", home / "data")
    assert refused.stdout == ""
    told = json.loads(refused.stderr)["error"]
    assert told["code"] == "user-not-found"
    assert "Did you mean one of these: subscriber," in told["message"]
    assert [each["code"] for each in told["errors"]] == ["user-not-found"]


# -- help --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "certwright" for path, _ in ALL])
@pytest.mark.parametrize("columns", [60, 80])
def test_no_help_is_cut_off(columns: int, path: tuple[str, ...], command: click.Command) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=columns)
    assert shown.exit_code == 0
    if isinstance(command, click.Group):
        assert isinstance(command, CommandGroup)
        listed = shown.output.partition("Commands:")[2]
        assert listed
        assert "..." not in listed


def test_every_command_that_ends_answers_programs_with_json() -> None:
    leaves = {path: command for path, command in ALL if not isinstance(command, click.Group)}
    lacking = {path for path, command in leaves.items() if not any("--json" in each.opts for each in command.params)}
    assert lacking == {("serve",), ("demo",)}


def test_an_unreadable_password_file_is_refused_in_words(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_bytes("pässwörd-12\n".encode("latin-1"))
    refused = run("password", "subscriber", "--password-file", file, "--data", home / "data")
    assert refused.exit_code == 1
    assert "secret.txt, line 1" in refused.output
    assert "a password is expected" in refused.output
    assert "Traceback" not in refused.output
    file.write_text(f"{PASSWORD}\n", "utf-16")
    assert run("password", "subscriber", "--password-file", file, "--data", home / "data").exit_code == 0


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_a_settings_file_in_another_encoding_is_refused_in_words(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "certwright.toml").write_bytes('[authority]\nname = "Zürich"\n'.encode(encoding))
    refused = run("init", "--data", tmp_path)
    assert refused.exit_code == 1
    assert "certwright.toml, line" in refused.output
    assert "TOML is expected" in refused.output


@pytest.mark.parametrize("content", ["x = " + "9" * 5_000, "x = " + "[" * 5_000], ids=["number", "brackets"])
def test_toml_beyond_the_parser_is_refused_in_words(content: str, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text(content)
    for command in (("load", file), ("templates", "import", file)):
        refused = run(*command, "--data", home / "data")
        assert (refused.exit_code, "no TOML" in refused.output) == (1, True)


def test_a_list_of_cards_is_read_as_spreadsheets_save_it_and_else_refused_in_words(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    rows = "Card;Comment\r\nbc88f13f-83ba-4037-8262-46eba1291c6e;Schrank f\u00fcr B\u00fcro\r\n"
    file.write_bytes(rows.encode("cp1252"))
    refused = run("card", "import", file, "--data", home / "data")
    assert (refused.exit_code, "cards.csv, line 2" in refused.output) == (1, True)
    assert "Windows-1252" in refused.output
    file.write_text(rows.replace(";", "\t"), "utf-16")
    taken = run("card", "import", file, "--data", home / "data")
    assert taken.output == "1 card was taken over.\n"
    listed = json.loads(run("card", "list", "--json", "--data", home / "data").output)
    assert [each["comment"] for each in listed] == ["Schrank f\u00fcr B\u00fcro"]
    file.write_text('card,adminkey\n5badfea3-de31-4837-99f9-8249515a5473,"1,23E+15"\n')
    shortened = run("card", "import", file, "--data", home / "data")
    assert (shortened.exit_code, "line 2, column adminkey" in shortened.output) == (1, True)


# -- JSON --------------------------------------------------------------------------------------------------------------

RUN_UNTIL_ENDED = {("serve",), ("demo",)}
"""Commands without a result of their own: what they print is their log, or a show for people."""
LEAVES = [(path, command) for path, command in ALL if not isinstance(command, click.Group)]


def test_every_command_that_has_a_result_takes_json() -> None:
    without = {path for path, command in LEAVES if not any("--json" in each.opts for each in command.params)}
    assert without == RUN_UNTIL_ENDED


def test_every_command_that_works_on_an_installation_finds_it_by_itself() -> None:
    variables = {path: each.envvar for path, command in LEAVES for each in command.params if "--data" in each.opts}
    optional = ("templates", "validate")
    assert {path for path, variable in variables.items() if variable != DATA_VARIABLE} == {optional}


READING = [
    ("access", "explain", "--user", "subscriber", "--template", "Strong Keys", "--type", "Enroll"),
    ("audit", "key"),
    ("audit", "prune", "--before", "2020-01-01", "--dry-run"),
    ("audit", "show", "1"),
    ("card", "list"),
    ("groups", "add", "Subscribers", "outsider"),
    ("groups", "list"),
    ("groups", "remove", "Subscribers", "outsider"),
    ("keys", "agents", "list"),
    ("keys", "list"),
    ("keys", "rearchive"),
    ("keys", "rotate"),
    ("mail", "preview", "create-request", "--template", "Software Certificate", "--policy", "enroll"),
    ("outbox", "list"),
    ("outbox", "resend", "--all"),
    ("requests", "list"),
    ("rights", "grant", "read", "profile-template", "--on", "Strong Keys", "--to", "outsider"),
    ("rights", "list"),
    ("rights", "revoke", "read", "profile-template", "--on", "Strong Keys", "--from", "outsider"),
    ("templates", "export", "Strong Keys"),
    ("templates", "list"),
    ("templates", "show", "Strong Keys"),
    ("templates", "diff", "Strong Keys", "1", "1"),
    ("users", "disable", "outsider"),
    ("users", "enable", "outsider"),
    ("users", "list"),
    ("work", "--once", "--dry-run"),
]


@pytest.mark.parametrize("command", READING, ids=[" ".join(each[:3]) for each in READING])
def test_what_is_shown_with_json_is_json(command: tuple[str, ...], home: Path) -> None:
    shown = run(*command, "--json", "--data", home / "data")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout) is not None
    plain = run(*command, "--data", home / "data")
    assert plain.exit_code == 0
    assert "Traceback" not in plain.output


@pytest.mark.parametrize("command", [("settings", "reference"), ("audit", "types")])
def test_what_needs_no_installation_is_json_too(command: tuple[str, ...]) -> None:
    assert len(json.loads(run(*command, "--json").stdout)) > 20
