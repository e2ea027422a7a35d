"""Send what is in the outbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from certwright.application.due_work import Due
from certwright.application.world import World
from certwright.domain.counts import count_of
from certwright.domain.errors import DeliveryDeferred, DeliveryRejected, ReceiverUnavailable
from certwright.domain.outbox import CLAIM, JITTER_BITS, OutboxMessage, OutboxState, Pace, fail, find_latest_due, plain_detail
from certwright.domain.work_ports import Carrier

BATCH = 100
FORGOTTEN_AT_ONCE = 1_000
"""In one transaction: nobody's writing waits long."""
ROUND = timedelta(seconds=20)
"""How long one round goes on: a worker that is to end waits for no more than this."""


@dataclass(slots=True)
class Sent:
    """What became of one round. Shape: *failed* counts those that wait again, *dead* those that do not."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


def send_outbox(carrier: Carrier, *, world: World, pace: Pace) -> Sent:
    """Return what became of the messages of the carrier's sink that are due, until none is, or the round is over.

    Each message is claimed before it is sent, so that two senders never have the same in hand; after a crash it is sent
    again, with the same identifier. What one receiver does not take is tried again later, as *pace* says, while others have
    their turn.

    Errors: ReceiverUnavailable when the receiver of all of them does not answer: the round ends, and the message that met it
            waits as others do that failed.
    """
    sent, began = Sent(), world.clock.now()
    while due := _list_due(carrier.sink, BATCH, world, pace):
        with carrier.carrying() as carry:
            for message in due:
                _send(message, carry, sent, world, pace)
                if world.clock.now() - began > ROUND:
                    return sent
    return sent


def list_sendable(carrier: Carrier, *, world: World, pace: Pace) -> Sequence[Due]:
    """Return the sending of what is due, as one thing that is."""
    found = _list_due(carrier.sink, BATCH, world, pace)
    if not found:
        return ()
    messages = count_of(len(found), "message", or_more=len(found) == BATCH)
    return (
        Due(
            what=f"{messages} to be sent by {carrier.sink}",
            carry_out=lambda: send_outbox(carrier, world=world, pace=pace).sent > 0,
            since=min(each.due for each in found),
        ),
    )


def list_forgettable(keep: timedelta, *, world: World) -> Sequence[Due]:
    """Return the removal of messages that were sent longer than *keep* ago, as one thing that is due when there are some."""
    before = world.clock.now() - keep
    with world.store.reading() as session:
        count = session.outbox.count_sent(before, FORGOTTEN_AT_ONCE)
    if not count:
        return ()

    def forget() -> bool:
        forgotten = 0
        while removed := _forget(before, world):
            forgotten += removed
        return forgotten > 0

    messages = count_of(count, "message that was sent", "messages that were sent", or_more=count == FORGOTTEN_AT_ONCE)
    return (Due(what=f"{messages}, to be forgotten", carry_out=forget),)


def _forget(before: datetime, world: World) -> int:
    with world.store.writing() as session:
        return session.outbox.forget_sent(before, FORGOTTEN_AT_ONCE)


def _list_due(sink: str, limit: int, world: World, pace: Pace) -> tuple[OutboxMessage, ...]:
    now = world.clock.now()
    with world.store.reading() as session:
        return session.outbox.list_due(sink, now=now, latest=find_latest_due(now, pace), limit=limit)


def _send(
    message: OutboxMessage, carry: Callable[[OutboxMessage, datetime], None], sent: Sent, world: World, pace: Pace
) -> None:
    now = world.clock.now()
    with world.store.writing() as session:
        claimed = session.outbox.claim(message, until=now + CLAIM)
    if claimed is None:
        return
    try:
        carry(claimed, now)
    except DeliveryRejected as rejected:
        _record(replace(claimed, state=OutboxState.DEAD, due=world.clock.now(), error=plain_detail(rejected.detail)), world)
        sent.dead += 1
    except (DeliveryDeferred, ReceiverUnavailable) as failure:
        chance = world.entropy.bits(JITTER_BITS)
        failed = fail(claimed, plain_detail(failure.detail), now=world.clock.now(), pace=pace, chance=chance)
        _record(failed, world)
        sent.dead += failed.state is OutboxState.DEAD
        sent.failed += failed.state is OutboxState.WAITING
        if isinstance(failure, ReceiverUnavailable):
            raise
    else:
        _record(replace(claimed, state=OutboxState.SENT, due=world.clock.now(), error=""), world)
        sent.sent += 1


def _record(message: OutboxMessage, world: World) -> None:
    """Store what became of it; where its claim had run out, what another sender says counts."""
    with world.store.writing() as session:
        session.outbox.record(message)
