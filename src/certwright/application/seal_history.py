"""Chain and sign the events that are not sealed yet."""

from collections.abc import Sequence

from certwright.application.due_work import Due
from certwright.application.world import World
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.ports import SealingKey
from certwright.domain.sealing import plan_seal

BATCH_EVENTS = 5_000


def seal_history(*, world: World, key: SealingKey) -> int:
    """Return how many events were sealed; 0 when nothing was open, or when another sealer was first."""
    sealed = 0
    while batch := _seal_batch(world, key):
        sealed += batch
    return sealed


def list_unsealed_events(*, world: World, key: SealingKey) -> Sequence[Due]:
    """Return the sealing of what is new, as one thing that is due."""
    with world.store.reading() as session:
        count = session.history.count_unsealed()
    if not count:
        return ()
    return (Due(what=f"{count} events to be sealed", carry_out=lambda: seal_history(world=world, key=key) > 0),)


def _seal_batch(world: World, key: SealingKey) -> int:
    with world.store.reading() as session:
        events = session.history.list_unsealed(BATCH_EVENTS)
        previous = session.history.find_last_seal()
    if not events:
        return 0
    seal = plan_seal(events, previous, now=world.clock.now(), sign=key.sign)
    try:
        with world.store.writing() as session:
            session.history.add_seal(seal)
    except ChangedMeanwhile:
        return 0
    return len(events)
