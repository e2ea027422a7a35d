"""Prove that the history is what was sealed."""

from dataclasses import dataclass, field

from certwright.application.world import World
from certwright.domain.events import Seal
from certwright.domain.ports import SealingKey
from certwright.domain.sealing import chain_of, list_faults, list_unreadable

SEALS_A_READ = 200
BELOW_ALL = -(2**62)
"""Events are numbered from 1: what stands below was put there by somebody else than us."""


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """Shape: *faults* are sentences that name sequence numbers; *unsealed* events are newer than the last seal."""

    events: int
    seals: int
    unsealed: int
    faults: tuple[str, ...] = field(default=())


def verify_history(*, world: World, key: SealingKey) -> HistoryReport:
    """Return what was checked and everything that does not fit: changed, unreadable, missing, added and reordered events,
    broken seals.
    """
    faults: list[str] = []
    with world.store.reading() as session:
        previous: Seal | None = None
        checked = count = 0
        last = BELOW_ALL
        while seals := session.history.list_seals(previous.number if previous else 0, SEALS_A_READ):
            for seal in seals:
                faults += _list_seal_faults(seal, previous, key)
                # A seal that lost its digests covers nothing; that its chain is broken is a fault already.
                covered = max((number for number, _ in seal.digests), default=last)
                faults += list_faults(seal, session.history.list_between(last + 1, covered))
                checked += len(seal.digests)
                previous, last = seal, max(last, covered)
            count += len(seals)
        unsealed = session.history.list_unsealed(1_000_000)
        faults += list_unreadable(unsealed)
    return HistoryReport(checked, count, len(unsealed), tuple(faults))


def _list_seal_faults(seal: Seal, previous: Seal | None, key: SealingKey) -> list[str]:
    faults = []
    if seal.number != (previous.number + 1 if previous else 1):
        faults.append(f"seal {seal.number} does not follow the one before: seals are missing")
    if seal.chain != chain_of(previous.chain if previous else b"", seal.digests):
        faults.append(f"seal {seal.number} does not continue the chain")
    if not key.is_signed(seal.chain, seal.signature):
        faults.append(f"seal {seal.number} is not signed by the sealing key")
    return faults
