"""Take rows that were changed past the server as they are: after a repair by hand, or where what was done to them is wanted."""

from dataclasses import replace

from certwright.application.world import World
from certwright.domain.events import ROWS, EventType, tell_of_operator
from certwright.domain.state_proof import StateProof


def prove_rows(*, world: World) -> StateProof:
    """Return which rows do not fit their marks or the history, and which of them can be accepted."""
    with world.store.reading() as session:
        return session.state.prove()


def accept_rows(*, operator: str, world: World) -> int:
    """Give every row that does not fit its mark as it is, and return in how many events that is told, with the rows."""
    now = world.clock.now()
    with world.store.writing() as session:
        told = [
            replace(tell_of_operator(EventType.STATE_MARKED, operator, now), details={ROWS: each})
            for each in session.state.settle()
        ]
        session.history.append(told)
    return len(told)
