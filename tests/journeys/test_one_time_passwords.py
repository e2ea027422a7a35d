"""One-time passwords as people meet them: a manager with curl or a command, a subscriber with a client of his own."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certwright.application.load_world import load_world
from certwright.formats.definitions import parse_world
from certwright.wire.cli import main
from worlds.rest_steps import open_request, refusal_of, responses_of, submit
from worlds.served import PASSWORD, Served, install, serve
from worlds.workflow_steps import rsa_request, target_of

SECRET = {"CERTWRIGHT_PASSWORD": PASSWORD}
SOFTWARE = "12bd5120-86a2-4ee1-8d05-131066871578"
HANDED_OUT = ["OneTimePasswords", "Expires", "Distributions"]
RULES = """
[profile_templates.policies.enroll.one_time_passwords]
distributions = ["display-on-screen", "display-on-screen"]
tries = 2
checked_over_rest = true

# What comes after enrollment."""


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo world, whose plainest template has two passwords for the initiator's screen."""
    demo = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
    changed = demo.replace("\n# What comes after enrollment.", RULES, 1)
    assert changed != demo
    with install(tmp_path_factory.mktemp("screened") / "data") as installation:
        load_world(parse_world(changed, "test"), "test", operator="test", world=installation.world)
        with serve(installation) as served:
            yield served


@pytest.fixture
def request_id(screened: Served) -> str:
    """A request that the manager has opened for the subscriber."""
    with screened.client("manager") as manager:
        return open_request(manager, SOFTWARE, target=str(target_of(screened)))


def hand_out(served: Served, request_id: str, user: str = "manager"):
    with served.client(user) as client:
        return client.post(f"../v1.1/requests/{request_id}/onetimepasswords")


def run(*arguments: str | Path, variables: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=SECRET | (variables or {}))


def enroll(served: Served, request_id: str, out: Path, **variables: str) -> Result:
    url = ["--url", f"https://localhost:{served.port}", "--ca", served.installation.ca_file]
    return run("enroll", *url, "--user", "subscriber", "--request", request_id, "--out", out, "--json", variables=variables)


def test_the_initiator_is_answered_the_passwords_and_the_subscriber_gives_them(screened: Served, request_id: str) -> None:
    answer = hand_out(screened, request_id)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == HANDED_OUT
    assert answer.json()["Distributions"] == [1, 1]
    with screened.client("subscriber") as client:
        assert refusal_of(submit(client, request_id, rsa_request())) == (403, "one-time-passwords-missing")
        passwords = answer.json()["OneTimePasswords"]
        wrong = submit(client, request_id, rsa_request(), onetimepasswords=["nonsense", passwords[0]])
        assert refusal_of(wrong) == (403, "one-time-passwords-rejected")
        assert "tries left: 1" in wrong.json()["Message"]
        responses_of(submit(client, request_id, rsa_request(), onetimepasswords=[each.lower() for each in passwords]))
    assert refusal_of(hand_out(screened, request_id)) == (409, "one-time-passwords-over")


@pytest.mark.parametrize("given", ["", 17, {}, [17], ["A", None], [["A"]], ["A" * 10_000, "B"], ["A"] * 3], ids=str)
def test_whatever_is_given_for_passwords_issues_nothing(screened: Served, request_id: str, given: object) -> None:
    assert hand_out(screened, request_id).status_code == 200
    with screened.client("subscriber") as client:
        status, code = refusal_of(submit(client, request_id, rsa_request(), onetimepasswords=given))
    assert (status, code) in {
        (400, "malformed-value"),
        (400, "rules-broken"),
        (403, "one-time-passwords-missing"),
        (403, "one-time-passwords-rejected"),
    }
    with screened.client("subscriber") as client:
        assert client.get(f"/requests/{request_id}").json()["Status"] == 3


@pytest.mark.parametrize("user", ["subscriber", "outsider", "helpdesk", "administrator"])
def test_who_is_neither_initiator_nor_approver_distributes_nothing(screened: Served, request_id: str, user: str) -> None:
    assert refusal_of(hand_out(screened, request_id, user)) == (403, "access-denied")


def test_a_request_that_is_not_there_has_no_passwords(screened: Served) -> None:
    assert refusal_of(hand_out(screened, "00000000-0000-0000-0000-000000000001")) == (404, "request-not-found")
    assert hand_out(screened, "nonsense").status_code == 400


def test_the_policy_tells_clients_of_its_passwords(screened: Served) -> None:
    with screened.client("subscriber") as client:
        policy = client.get(f"/profiletemplates/{SOFTWARE}/policies/Enroll").json()["OneTimePasswordPolicy"]
        none = client.get(f"/profiletemplates/{SOFTWARE}/policies/Renew").json()["OneTimePasswordPolicy"]
    assert policy == {
        "SecretProviderType": "Certwright.RandomSecretProvider",
        "SecretProviderData": "Length=12;Validity=7.00:00:00;Tries=2;CheckedOverRest=true",
        "Distributions": [{"DistributionType": 1, "EmailTemplate": ""}] * 2,
        "Count": 2,
    }
    assert none == {"SecretProviderType": "", "SecretProviderData": "", "Distributions": [], "Count": 0}


def test_commands_hand_passwords_out_and_ask_for_them(screened: Served, request_id: str, tmp_path: Path) -> None:
    data = screened.installation.data
    unasked = enroll(screened, request_id, tmp_path / "unasked")
    assert unasked.exit_code == 2
    assert "asks for 2 one-time passwords" in unasked.output
    shown = run("requests", "distribute", request_id, "--user", "manager", "--data", data, "--json")
    assert shown.exit_code == 0, shown.output
    passwords = json.loads(shown.stdout)["shown"]
    result = enroll(screened, request_id, tmp_path / "out", CERTWRIGHT_ONE_TIME_PASSWORDS=" ".join(passwords))
    assert result.exit_code == 0, result.output
    (enrolled,) = json.loads(result.stdout)["certificates"]
    assert enrolled["subject"] == "CN=Sam Subscriber,OU=People,DC=corp,DC=contoso,DC=com"
    again = run("requests", "distribute", request_id, "--user", "manager", "--data", data)
    assert again.exit_code == 1
    assert "transition-refused" in again.output


def test_wrong_passwords_at_the_command_leave_the_request_open(screened: Served, request_id: str, tmp_path: Path) -> None:
    hand_out(screened, request_id)
    wrong = tmp_path / "passwords"
    wrong.touch(0o600)
    wrong.write_text("AAAA-AAAA-AAAA\nBBBB-BBBB-BBBB\n")
    url = ["--url", f"https://localhost:{screened.port}", "--ca", screened.installation.ca_file]
    arguments = ["enroll", *url, "--user", "subscriber", "--request", request_id, "--out", tmp_path / "out"]
    result = run(*arguments, "--one-time-passwords-file", wrong)
    assert result.exit_code == 1
    assert "one-time-passwords-rejected" in result.output
    with screened.client("subscriber") as client:
        assert client.get(f"/requests/{request_id}").json()["Status"] == 3


@pytest.mark.parametrize("arguments", [[], ["--template", "Software Certificate", "--request", SOFTWARE]], ids=["none", "both"])
def test_either_a_template_or_a_request_is_named(arguments: list[str], tmp_path: Path) -> None:
    result = run("enroll", "--url", "https://localhost:1", "--user", "subscriber", "--out", tmp_path, *arguments)
    assert result.exit_code == 2
