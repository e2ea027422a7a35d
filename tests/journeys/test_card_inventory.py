"""The inventory of cards at the command line: stock, cards of another system, lost ones, and the telephone."""

import csv
import io
import json
import shutil
from base64 import b64encode
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from certwright.application.bind_smartcard import PresentedCard, bind_smartcard
from certwright.application.create_request import RequestWish, create_request
from certwright.application.explain_access import get_template_named
from certwright.bootstrap import open_installation
from certwright.domain.account_names import find_named
from certwright.domain.errors import CardInUse
from certwright.domain.events import Event
from certwright.domain.identities import Caller
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import CardId, SmartcardStatus
from certwright.domain.workflows import Operation
from certwright.formats.spoken_codes import encode_spoken, parse_spoken
from certwright.wire.cli import main
from worlds.commands import FAST_SETTINGS
from worlds.served import PASSWORD
from worlds.software_card import SoftwareCard

SECRET = {"CERTWRIGHT_PASSWORD": PASSWORD}
TEMPLATE = "Contoso Virtual Smart Card"
KEY = bytes(range(24))


def run(*arguments: str | Path, variables: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env=variables)


def tell(*arguments: str | Path, data: Path) -> list[dict[str, str]]:
    """Return what a listing says, for programs."""
    result = run("card", *arguments, "--json", "--data", data)
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("inventory") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    for command in (("init",), ("load", "demo")):
        assert run(*command, "--data", data).exit_code == 0
    assert run("password", "helpdesk", "--data", data, variables=SECRET).exit_code == 0
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(installed, copy)
    return copy


def take_over(data: Path, *lines: str) -> Result:
    file = data.parent / "cards.csv"
    file.touch(0o600)
    file.write_text("\ufeffcard,atr,user,template,adminkey,algorithm,comment\r\n" + "\r\n".join(lines), "utf-8")
    return run("card", "import", file, "--data", data)


def take_over_migrated(data: Path, card: SoftwareCard) -> None:
    line = f"{{{card.card_id.upper()}}},{card.atr},CORP\\subscriber,{TEMPLATE},{card.admin_key.hex()},3des,from MIM"
    taken = take_over(data, line)
    assert taken.exit_code == 0, taken.output


def test_cards_are_taken_over_listed_and_filtered(data: Path) -> None:
    migrated, stock = SoftwareCard(admin_key=KEY), str(uuid4())
    taken = take_over(
        data,
        f"{migrated.card_id},,subscriber,{TEMPLATE},{KEY.hex()},,=from MIM",
        f"{stock},{migrated.atr},,,{'00' * 32},aes-256,",
    )
    assert (taken.exit_code, taken.output) == (0, "2 cards were taken over.\n")
    assert [each["card"] for each in tell("list", data=data)] == [stock, migrated.card_id]
    (active,) = tell("list", "--status", "active", "--user", "CORP\\Subscriber", "--template", "virtual", data=data)
    assert (active["card"], active["status"], active["flags"], active["key"]) == (
        migrated.card_id,
        "active",
        "primary",
        "imported",
    )
    assert tell("list", "--comment", "MIM", data=data) == [active]
    assert tell("list", "--user", "subscriber2", data=data) == []
    assert "user-not-found" in run("card", "list", "--user", "nobody", "--data", data).output
    rows = list(csv.DictReader(io.StringIO(run("card", "list", "--csv", "--data", data).stdout)))
    assert [(each["card"], each["comment"]) for each in rows] == [(stock, ""), (migrated.card_id, "'=from MIM")]
    assert KEY.hex() not in (data / "certwright.db").read_bytes().hex()
    shown = run("card", "show", migrated.card_id, "--data", data).output
    assert "CORP\\subscriber" in shown
    assert KEY.hex() not in shown
    assert run("card", "show", uuid4(), "--data", data).exit_code == 1


def test_all_faults_of_a_file_are_told_with_their_lines_and_nothing_is_taken_over(data: Path) -> None:
    card = str(uuid4())
    read = take_over(data, "12345,,,,,,", f"{card},,,,zz,,", f"{card},,,,,des,")
    assert [f"line {number}" in read.output for number in (2, 3, 4)] == [True] * 3
    known = take_over(
        data,
        f"{card},,nobody,{TEMPLATE},,,",
        f"{uuid4()},,subscriber,No such template,,,",
        f"{uuid4()},,subscriber,Software Certificate,,,",
        f"{uuid4()},,,,0011,,",
        f"{card},,,,,,",
    )
    assert [f"line {number}" in known.output for number in range(2, 7)] == [True] * 5
    assert (read.exit_code, known.exit_code, tell("list", data=data)) == (1, 1, [])
    (data.parent / "other.csv").write_text("serial\n1\n")
    assert run("card", "import", data.parent / "other.csv", "--data", data).exit_code == 1


def test_a_card_is_taken_over_once(data: Path) -> None:
    card = SoftwareCard(admin_key=KEY)
    take_over_migrated(data, card)
    again = take_over(data, f"{card.card_id},,,,,,")
    assert again.exit_code == 1
    assert CardInUse.code not in again.output
    assert "is in use" in again.output


def test_a_card_in_stock_is_assigned_as_it_is(data: Path) -> None:
    card = str(uuid4())
    assert take_over(data, f"{card},,,,{KEY.hex()},,box 7").exit_code == 0
    with open_installation(data) as installation:
        world = installation.world
        with world.store.reading() as session:
            found = find_named("subscriber", session.directory)
            template = get_template_named(TEMPLATE, session)
        assert found is not None
        by = Caller(found.user, found.sids, "a test")
        request = create_request(RequestWish(operation=Operation.ENROLL, template_id=template.id), by=by, world=world)
        bound = bind_smartcard(request.id, PresentedCard(card_id=CardId(UUID(card))), by=by, world=world)
    (listed,) = tell("list", data=data)
    assert (listed["uuid"], listed["status"], listed["key"], listed["comment"]) == (
        str(bound.id),
        "assigned",
        "imported",
        "box 7",
    )


def test_a_lost_card_is_retired_and_stays_in_the_inventory(data: Path) -> None:
    card = SoftwareCard()
    take_over_migrated(data, card)
    without = run("card", "retire", card.card_id, "--reason", "lost", "--data", data)
    assert (without.exit_code, "card-state-refused" in without.output) == (1, True)
    lost = ("--reason", "lost", "--comment", "in the tram", "--user", "helpdesk")
    wrong = run("card", "retire", card.card_id, *lost, "--data", data, variables={"CERTWRIGHT_PASSWORD": "x"})
    assert "credentials-rejected" in wrong.output
    done = run("card", "retire", card.card_id, *lost, "--data", data, variables=SECRET)
    assert (done.exit_code, done.output) == (0, "The card is retired.\n")
    (listed,) = tell("list", "--comment", "lost", data=data)
    assert (listed["card"], listed["status"], listed["comment"]) == (card.card_id, "retired", "lost: in the tram")
    shown = json.loads(run("card", "show", card.card_id, "--json", "--data", data).stdout)
    assert [(each["operation"], each["status"]) for each in shown["requests"]] == [("retire", "completed")]


def test_a_damaged_card_in_stock_is_retired_without_anybodys_name(data: Path) -> None:
    card = str(uuid4())
    take_over(data, f"{card},,,,,,")
    assert run("card", "retire", card, "--reason", "damaged", "--data", data).exit_code == 0
    (listed,) = tell("list", "--status", SmartcardStatus.RETIRED.name.lower(), data=data)
    assert listed["comment"] == "damaged"
    assert run("card", "retire", card, "--reason", "damaged", "--data", data).exit_code == 1


def unblock(data: Path, card: SoftwareCard, challenge: str, *more: str) -> Result:
    arguments = ("card", "offline-unblock", card.card_id, "--challenge", challenge, "--user", "helpdesk", *more)
    return run(*arguments, "--data", data, variables=SECRET)


@pytest.mark.parametrize("is_code", [True, False])
def test_a_card_is_unblocked_over_the_telephone(data: Path, *, is_code: bool) -> None:
    card = SoftwareCard(admin_key=KEY)
    take_over_migrated(data, card)
    challenge = card.get_challenge()
    told = unblock(data, card, encode_spoken(challenge) if is_code else challenge.hex(" ", 2), "--json")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    code = answer["answer"]["code"]
    assert [len(each) for each in code.split("-")] == [6] * 4
    assert parse_spoken(code).hex().upper() == answer["answer"]["hexadecimal"]
    assert card.authenticate(parse_spoken(code))
    card.set_pin("123456")
    with open_installation(data) as installation, installation.world.store.reading() as session:
        told_of = session.history.list_of_request(RequestId(UUID(answer["request"])))
    events = [each for each in told_of if isinstance(each, Event)]
    types = [each.type.value for each in events]
    assert types == ["request.created", "smartcard.challenge-answered", "request.completed"]
    secrets = (challenge.hex(), code, answer["answer"]["hexadecimal"], b64encode(challenge).decode())
    assert not [each for each in secrets if each in repr(events)]


def test_a_code_that_was_misheard_is_told_with_its_group_and_asks_for_nothing(data: Path) -> None:
    card = SoftwareCard(admin_key=KEY)
    take_over_migrated(data, card)
    groups = encode_spoken(card.get_challenge()).split("-")
    groups[2] = groups[2][:-1] + str((int(groups[2][-1]) + 1) % 10)
    misheard = unblock(data, card, " ".join(groups))
    assert (misheard.exit_code, "group 3" in misheard.output) == (1, True)
    assert unblock(data, card, "00" * 7).exit_code == 1
    assert unblock(data, card, "00" * 16).exit_code == 1, "this card does not ask with sixteen octets"
    assert json.loads(run("card", "show", card.card_id, "--json", "--data", data).stdout)["requests"] == []


def test_a_new_master_key_has_the_next_version(data: Path) -> None:
    told = [run("card", "rotate-master-key", "--data", data).output for _ in range(2)]
    assert told == ["The master key has version 1 now.\n", "The master key has version 2 now.\n"]
