"""Look into the outbox, and have dead letters sent again."""

from collections.abc import Sequence
from dataclasses import replace

from certwright.application.world import World
from certwright.domain.errors import DeliveryRejected, OutboxMessageNotFound
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.outbox import MAIL, OutboxMessage, OutboxMessageId, OutboxState
from certwright.domain.ports import Session

MOST_LISTED = 1_000


def list_messages(state: OutboxState | None, *, world: World) -> tuple[OutboxMessage, ...]:
    """Return the newest messages of *state*, or of any, newest first; a secret is in none of them."""
    with world.store.reading() as session:
        return session.outbox.list_all(state, MOST_LISTED)


def get_message(message_id: OutboxMessageId, *, world: World) -> OutboxMessage:
    """Return the message; a secret is not in it. Errors: OutboxMessageNotFound."""
    with world.store.reading() as session:
        return session.outbox.get(message_id)


def resend_messages(
    message_ids: Sequence[OutboxMessageId] | None, *, operator: str, world: World, to: str = ""
) -> tuple[OutboxMessage, ...]:
    """Return the dead letters, of *message_ids* or all, that wait again now, as if they were new.

    Shape: *to* is another address for mails that went to the wrong one; secrets go to nobody else than they were meant for.
    Errors: OutboxMessageNotFound, for messages that are not dead, too; DeliveryRejected for what *to* does not fit.
    """
    with world.store.writing() as session:
        dead = _list_dead(message_ids, session)
        now = world.clock.now()
        released = tuple(replace(each, recipient=_choose_recipient(each, to), created=now, due=now) for each in dead)
        for each in released:
            if not session.outbox.release(each):
                raise OutboxMessageNotFound(each.id)
        session.history.append(
            [
                tell_of_operator(
                    EventType.MESSAGE_RESENT,
                    operator,
                    now,
                    subject_id=each.subject_id,
                    message=str(each.id),
                    sink=each.sink,
                    recipient=each.recipient,
                )
                for each in released
            ]
        )
    return released


def _list_dead(message_ids: Sequence[OutboxMessageId] | None, session: Session) -> list[OutboxMessage]:
    """Return them in the order in which they were written, which is that in which they are sent."""
    if message_ids is None:
        return list(reversed(session.outbox.list_all(OutboxState.DEAD, MOST_LISTED)))
    found = [session.outbox.get(each) for each in dict.fromkeys(message_ids)]
    return sorted(found, key=lambda each: each.number)


def _choose_recipient(message: OutboxMessage, to: str) -> str:
    if not to:
        fault = find_address_fault(message.recipient) if message.sink == MAIL else None
    elif message.sink != MAIL:
        fault = "a webhook has no other address than that in the settings"
    elif message.has_secret:
        fault = "secrets go to nobody else than they were meant for; have them distributed again"
    else:
        fault = find_address_fault(to)
    if fault is not None:
        raise DeliveryRejected(fault)
    return to or message.recipient
