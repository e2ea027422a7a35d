"""Chain and sign the events that are not sealed yet, and tell of it outside of the database."""

from collections.abc import Sequence

from certwright.application.due_work import Due
from certwright.application.world import World
from certwright.domain.counts import count_of
from certwright.domain.errors import ChangedMeanwhile, CheckpointUnavailable
from certwright.domain.events import Checkpoint
from certwright.domain.history_ports import SealingKey
from certwright.domain.sealing import choose_events, find_checkpoint, plan_seal

BATCH_EVENTS = 5_000


def seal_history(*, world: World, key: SealingKey) -> int:
    """Return how many events were sealed; 0 when nothing was open, or when another sealer was first.

    Errors: CheckpointUnavailable when all is sealed, and a place outside did not take the checkpoint.
    """
    sealed = 0
    while batch := _seal_batch(world, key):
        sealed += batch
    _write_checkpoints(world)
    return sealed


def list_unsealed_events(*, world: World, key: SealingKey) -> Sequence[Due]:
    """Return the sealing of what is new, or the telling of what is sealed, as one thing that is due."""
    with world.store.reading() as session:
        count = session.history.count_unsealed()
    if count:
        return (Due(what=f"{count_of(count, 'event')} to be sealed", carry_out=lambda: seal_history(world=world, key=key) > 0),)
    checkpoint, now = _find_newest_checkpoint(world), world.clock.now()
    if checkpoint is None or not any(each.is_behind(checkpoint, now) for each in world.checkpoints):
        return ()
    what = f"the checkpoint of seal {checkpoint.statement.number} to be written"
    return (Due(what=what, carry_out=lambda: _write_checkpoints(world)),)


def _seal_batch(world: World, key: SealingKey) -> int:
    with world.store.reading() as session:
        digests = session.history.digest_unsealed(BATCH_EVENTS).digests
        previous = session.history.find_last_seal()
        marked_after = session.history.marked_after
    if not digests:
        return 0
    chosen, version = choose_events(digests, previous, marked_after)
    seal = plan_seal(chosen, previous, now=world.clock.now(), sign=key.sign, version=version)
    try:
        with world.store.writing() as session:
            session.history.add_seal(seal)
    except ChangedMeanwhile:
        return 0
    return len(chosen)


def _write_checkpoints(world: World) -> bool:
    """Tell every place that is behind of the newest seal, also when one of them does not take it; return whether any was.

    Errors: CheckpointUnavailable.
    """
    checkpoint, now = _find_newest_checkpoint(world), world.clock.now()
    if checkpoint is None:
        return False
    refusals, behind = [], [each for each in world.checkpoints if each.is_behind(checkpoint, now)]
    for sink in behind:
        try:
            sink.write(checkpoint, now)
        except CheckpointUnavailable as refused:
            refusals.append(refused)
    if refusals:
        raise refusals[0]
    return bool(behind)


def _find_newest_checkpoint(world: World) -> Checkpoint | None:
    if not world.checkpoints:
        return None
    with world.store.reading() as session:
        return find_checkpoint(session.history.find_last_seal())
