"""The whole story of a request, as programs and people read it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from certwright.application.approve_request import approve_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.enroll import Submission, enroll
from certwright.application.one_time_passwords import distribute_passwords
from certwright.application.trace_request import trace_request
from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import RequestNotFound
from certwright.domain.events import Event, EventType
from certwright.domain.one_time_passwords import Distribution, OneTimePasswordRules
from certwright.domain.policies import Answers, Policy
from certwright.domain.program import THE_PROGRAM
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from certwright.wire.cli.request_story import describe_story, list_story_lines
from worlds.contoso import APPROVER, APPROVERS, MANAGER, MANAGERS, SUBSCRIBER
from worlds.house import ONE, PEOPLE, House, csr, signed_in

NAMES = {each.user.id: each.user.nt4_name for each in (*PEOPLE, THE_PROGRAM)}
POLICY = Policy(
    self_service=True,
    initiators=frozenset({MANAGERS}),
    approvers=frozenset({APPROVERS}),
    approvals_needed=1,
    data_items=(
        DataItemDefinition(name="Cost Centre", originator=DataItemOriginator.MANAGER),
        DataItemDefinition(name="Badge", originator=DataItemOriginator.MANAGER, sensitive=True),
        DataItemDefinition(name="Language", originator=DataItemOriginator.SUBSCRIBER),
    ),
    one_time_passwords=OneTimePasswordRules(
        distributions=(Distribution.DISPLAY_ON_SCREEN, Distribution.EMAIL_TO_TARGET), checked_over_rest=True
    ),
)


def open_managed(house: House) -> RequestId:
    house.save(replace(ONE, policies={RequestType.ENROLL: POLICY}))
    answers = Answers(comment="new hire", priority=3, data=(DataItem("Cost Centre", "4711"), DataItem("Badge", "31337")))
    wish = RequestWish(operation=Operation.ENROLL, template_id=ONE.id, target_id=SUBSCRIBER.user.id, answers=answers)
    return create_request(wish, by=signed_in(MANAGER), world=house.world).id


def tell(house: House, request_id: RequestId) -> tuple[dict, str]:
    story = describe_story(trace_request(request_id, operator="root", world=house.world), NAMES)
    return json.loads(json.dumps(story)), "\n".join(list_story_lines(story))


def test_a_story_is_told_from_its_beginning_to_its_end(house: House) -> None:
    house = replace(house, world=replace(house.world, sends_mail=True))
    request_id = open_managed(house)
    story, text = tell(house, request_id)
    assert (story["status"], story["originator"], story["target"]) == ("pending", "CORP\\manager", "CORP\\subscriber")
    assert story["one_time_passwords"]["state"] == "not distributed"
    assert text.startswith(f"Request {request_id}: enroll for CORP\\subscriber, pending\n")
    assert "Approvals: 0 of 1" in text

    approve_request(request_id, by=signed_in(APPROVER), world=house.world, comment="checked")
    handed_out = distribute_passwords(request_id, by=signed_in(MANAGER), world=house.world)
    story, text = tell(house, request_id)
    assert story["one_time_passwords"]["distributions"] == ["display-on-screen", "email-to-target"]
    assert story["one_time_passwords"]["tries_left"] == 5
    (mail,) = story["notifications"]
    assert (mail["type"], mail["recipient"], mail["state"]) == ("distribute-secrets", SUBSCRIBER.user.email, "waiting")
    assert "  Cost Centre: 4711" in text
    assert "  Badge: (encrypted)" in text
    assert "CORP\\approver  checked" in text
    assert "One-time passwords: waiting" in text
    for secret in ("31337", handed_out.shown[0]):
        assert secret not in json.dumps(story) + text

    numbers = [each["sequence"] for each in story["events"]]
    assert numbers == sorted(numbers)
    assert [each["type"] for each in story["events"]] == [
        "request.created",
        "request.approved",
        "one-time-passwords.distributed",
    ]


def test_certificates_are_told_with_what_they_are_worth_now(house: House) -> None:
    house.save(replace(ONE, policies={RequestType.ENROLL: replace(POLICY, approvals_needed=0, data_items=())}))
    request_id = house.open()
    submission = Submission(certificate_requests=(csr("key"),))
    enroll(request_id, submission, by=signed_in(SUBSCRIBER), world=house.world)
    complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    story, text = tell(house, request_id)
    assert story["one_time_passwords"] is None
    assert [each["status"] for each in story["certificates"]] == ["active"]
    assert story["completed"] == house.clock.now().isoformat()
    assert "One-time passwords" not in text
    assert "Approvals" not in text
    assert f"  {story['certificates'][0]['serial']}  SigningUser  until " in text
    house.clock.step(timedelta(days=366))
    assert [each["status"] for each in tell(house, request_id)[0]["certificates"]] == ["expired"]


def test_that_somebody_reads_a_story_is_an_event_but_none_of_the_request(house: House) -> None:
    request_id = house.open()
    tell(house, request_id)
    assert house.events(request_id) == ["request.created"]
    with house.store.reading() as session:
        events = [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event)]
    read = [(each.actor, each.request_id) for each in events if each.type is EventType.HISTORY_READ]
    assert read == [("root", None)]


def test_a_request_that_is_not_there_has_no_story(house: House) -> None:
    with pytest.raises(RequestNotFound):
        trace_request(RequestId(uuid4()), operator="root", world=house.world)


def test_an_event_that_cannot_be_read_is_told_by_its_number(house: House, tmp_path) -> None:
    request_id = house.open()
    with closing(sqlite3.connect(tmp_path / "store.db")) as database, database:
        assert database.execute("UPDATE events SET details = 'x' WHERE request_id IS NOT NULL").rowcount == 1
    story, text = tell(house, request_id)
    assert [each["type"] for each in story["events"]] == ["unreadable"]
    assert "cannot be read" in text
