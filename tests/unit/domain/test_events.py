"""Who an event says that did it, and from where."""

from certwright.domain.events import EventType, tell, tell_of_operator, tell_of_program
from worlds.contoso import NOW, SUBSCRIBER, caller


def test_what_a_person_did_names_the_account_and_the_address() -> None:
    event = tell(EventType.REQUEST_CREATED, caller(SUBSCRIBER), NOW)
    assert (event.actor, event.actor_id, event.source) == ("CORP\\subscriber", SUBSCRIBER.user.id, "192.0.2.7")


def test_what_a_program_did_by_itself_names_nobody() -> None:
    event = tell_of_program(EventType.SERVICE_STARTED, NOW)
    assert (event.actor, event.actor_id, event.source) == ("certwright", None, "program")


def test_what_was_done_on_the_command_line_names_the_operator() -> None:
    event = tell_of_operator(EventType.PASSWORD_SET, "root", NOW, subject_id=SUBSCRIBER.user.id, account="CORP\\subscriber")
    assert (event.actor, event.actor_id, event.source) == ("root", None, "command line")
    assert (event.subject_id, event.details) == (SUBSCRIBER.user.id, {"account": "CORP\\subscriber"})
