"""Prove that the history is what was sealed, and that it is all that was sealed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from certwright.application.world import World
from certwright.domain.checkpoints import CheckpointLine, list_checkpoint_faults
from certwright.domain.counts import count_of
from certwright.domain.events import Digested, Event, EventType, Seal, StoredSeal
from certwright.domain.history_ports import SealingKey
from certwright.domain.ports import Session
from certwright.domain.retention import RetentionRecord, encode_record
from certwright.domain.sealing import (
    BELOW_ALL,
    MARKED_EVENTS,
    SIGNED_STATEMENTS,
    chain_of,
    find_gaps,
    list_faults,
    list_signed,
    list_unreadable,
    name_events,
    tell_of_events,
)

SEALS_A_READ = 20
EVENTS_A_READ = 20_000

ReadCheckpoints = Callable[[], Iterator[CheckpointLine]]


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """Shape: *faults* are sentences that name sequence numbers; *unsealed* events are newer than the last seal;
    *checkpoints* are the lines that were compared; *removed* events were signed for when they were removed; *remarks* are
    sentences about what is no fault and cannot be proven; *compared_to* is the last event of which a copy of the checkpoints
    from elsewhere tells, None where none was compared; *rows* were compared with
    what the events tell of them."""

    events: int
    seals: int
    unsealed: int
    faults: tuple[str, ...] = field(default=())
    checkpoints: int = 0
    removed: int = 0
    remarks: tuple[str, ...] = field(default=())
    compared_to: int | None = None
    rows: int = 0


def verify_history(
    *,
    world: World,
    key: SealingKey,
    read_checkpoints: ReadCheckpoints | None = None,
    read_copy: ReadCheckpoints | None = None,
) -> HistoryReport:
    """Return what was checked and everything that does not fit: changed, unreadable, missing, added and reordered events,
    those that were so before they were sealed, broken seals, and, with checkpoints, what was cut off, rewritten or put back.

    Shape: *read_checkpoints* gives the installation's own checkpoints, and *read_copy* those that were kept elsewhere, which
    are compared instead: who can write to the database may be able to cut the others with it.
    """
    # Before the view of the store begins: of each line that is there now, the seal is in the view.
    read_lines = read_copy or read_checkpoints
    lines = read_lines() if read_lines is not None else None
    with world.store.reading() as session:
        verification = _Verification(session, key)
        verification.check_records()
        verification.check_seals()
        unsealed = verification.count_unsealed()
        verification.check_copies()
        verification.check_ends()
        verification.check_state()
    compared = verification.compare(lines) if lines is not None else 0
    return HistoryReport(
        verification.events,
        verification.seals,
        unsealed,
        tuple(verification.faults),
        compared,
        verification.removed,
        tuple(verification.remarks),
        verification.compared_to if read_copy is not None and compared else None,
        verification.rows,
    )


class _Verification:
    """One walk through seals, events and checkpoints, in batches that do not grow with the history."""

    def __init__(self, session: Session, key: SealingKey) -> None:
        self._session = session
        self._key = key
        self._last = self._last_event = BELOW_ALL
        self._previous: StoredSeal | None = None
        self._chains: dict[int, bytes] = {}
        self._has_signed_statements = False
        self._unproven_after: int | None = None
        marked_after = session.history.marked_after
        self._marked_after = marked_after
        """Above it every event has to be marked."""
        self._whole_to = marked_after if session.history.has_all_numbers else None
        """No number above it may be left out; None where that cannot be told."""
        self._has_marked_events = False
        self._follows_broken_seal = False
        self.faults: list[str] = []
        self.remarks: list[str] = []
        self.compared_to = 0
        self._records: list[RetentionRecord] = []
        self.events = self.seals = self.removed = self.rows = 0

    def check_records(self) -> None:
        """Look at every record of what was removed; one that is not signed removes nothing."""
        for each in self._session.retention.list_records():
            if self._key.is_signed(encode_record(each), each.signature):
                self._records.append(each)
            else:
                self.faults.append(f"retention record {each.number} is not signed by the sealing key")

    def check_seals(self) -> None:
        """Look at every seal, and at the events under them."""
        while found := self._session.history.list_seals(self._previous.number if self._previous else 0, SEALS_A_READ):
            for group in _group(found):
                for seal in group:
                    self._check_seal(seal)
                self._check_events(group)

    def count_unsealed(self) -> int:
        """Return how many events are newer than the last seal; those that cannot be read are faults."""
        count, last = 0, self._last
        while (found := self._session.history.digest_after(last, EVENTS_A_READ)).digests:
            self.faults += list_unreadable(found)
            self._tell_unmarked(found.unmarked)
            self._tell_gaps([number for number, _ in found.digests])
            count, last = count + len(found.digests), found.digests[-1][0]
        self._last_event = last
        return count

    def check_copies(self) -> None:
        """Look for events that have one mark: it was made for one of them, and taken over for the others."""
        copied = self._session.history.list_copied()
        self.faults += tell_of_events(copied, "has the mark of another event", "have the marks of other events")

    def check_ends(self) -> None:
        """Look whether the history begins where an installation's does, and goes as far as numbers were given."""
        if self._session.keys.list_authorities():
            first = self._session.history.find_first()
            if not isinstance(first, Event) or first.type is not EventType.SERVICE_INITIALIZED:
                self.faults.append(f"the first event is missing: that of an installation is {EventType.SERVICE_INITIALIZED}")
        last, given = max(self._last_event, 0), self._session.history.find_last_given() or 0
        if given > last and self._session.history.has_all_numbers:
            told = tell_of_events(range(last + 1, given + 1), "is missing", "are missing")
            self.faults += [f"{each}: the database has given numbers up to {given}" for each in told]
        elif given > last:
            ends = f"the history ends with event {last}, and the database has given numbers up to {given}"
            self.remarks.append(f"{ends}: changes that were taken back had the others, or the end was cut off")
        elif given < last:
            self.faults.append(f"the history ends with event {last}, and the database has given numbers up to {given} only")

    def check_state(self) -> None:
        """Look at everything that the history tells of, and by which the product decides."""
        proof = self._session.state.prove()
        self.faults += (*proof.faults, *proof.lasting)
        self.remarks += proof.remarks
        self.rows = proof.rows
        if proof.taken_as_found:
            self.remarks.append(
                f"{count_of(proof.taken_as_found, 'row')} as found when rows were first marked: what was done to "
                f"{'it' if proof.taken_as_found == 1 else 'them'} before is not proven"
            )

    def compare(self, lines: Iterator[CheckpointLine]) -> int:
        """Compare the seals with *lines*, and return how many those were."""
        count = 0

        def counted() -> Iterator[CheckpointLine]:
            nonlocal count
            for line in lines:
                count += 1
                if line.checkpoint is not None and self._chains.get(line.checkpoint.statement.number) is not None:
                    self.compared_to = max(self.compared_to, line.checkpoint.statement.last)
                yield line

        self.faults += list_checkpoint_faults(counted(), self._chains, max(self._last, 0), self._key.is_signed)
        if not count and self._has_signed_statements:
            self.faults.append("there are no checkpoints: nothing outside of the database tells how far the history goes")
        return count

    def _check_seal(self, seal: StoredSeal) -> None:
        previous, self._previous = self._previous, seal
        self.seals += 1
        if seal.number != (previous.number + 1 if previous else 1):
            self.faults.append(f"seal {seal.number} does not follow the one before: seals are missing")
            self._follows_broken_seal = True
        if not isinstance(seal, Seal):
            self.faults.append(f"seal {seal.number} cannot be read")
            self._follows_broken_seal = True
            return
        self._chains[seal.number] = seal.chain
        self.events += len(seal.digests)
        self._has_signed_statements |= seal.version >= SIGNED_STATEMENTS
        said = seal.statement
        name = f"seal {seal.number} over {name_events(said.first, said.last) if seal.digests else 'nothing'}"
        # After a seal that cannot be read, the signature alone says where the chain stands.
        is_continued = not isinstance(previous, Seal) and previous is not None
        if not is_continued and seal.chain != chain_of(previous.chain if isinstance(previous, Seal) else b"", seal.digests):
            self.faults.append(f"{name} does not continue the chain")
        if said.last != seal.last_sequence:
            self.faults.append(f"{name} is said to end with event {seal.last_sequence}")
        if not self._key.is_signed(list_signed(seal), seal.signature):
            self.faults.append(f"{name} is not signed by the sealing key")
        self._check_marking(seal, name)

    def _check_marking(self, seal: Seal, name: str) -> None:
        """Take from *seal* which events have to be marked, and look whether any had gone before it was made."""
        if seal.version >= MARKED_EVENTS:
            if not self._has_marked_events and self._marked_after is not None and seal.digests:
                # Where it is below what the key of the marks says, that was made anew.
                self._marked_after = min(self._marked_after, seal.statement.first - 1)
            self._has_marked_events = True
            self._follows_broken_seal |= not seal.digests
            self._tell_gaps([number for number, _ in seal.digests])
        elif self._has_marked_events:
            self.faults.append(f"{name} does not say that its events were marked, and one before it does")
        elif self._whole_to is not None:
            self._whole_to = max(self._whole_to, seal.last_sequence)

    def _tell_gaps(self, numbers: Sequence[int]) -> None:
        if self._whole_to is not None and numbers:
            if self._follows_broken_seal:
                self._whole_to = max(self._whole_to, numbers[0] - 1)
                self._follows_broken_seal = False
            gone = find_gaps(self._whole_to, numbers)
            for first, last in gone:
                words = "is missing: no seal tells of it" if first == last else "are missing: no seal tells of them"
                self.faults.append(f"{name_events(first, last)} {words}")
            self._whole_to = max(self._whole_to, numbers[-1])

    def _tell_unmarked(self, numbers: Sequence[int]) -> None:
        if self._marked_after is not None:
            told = [each for each in numbers if each > self._marked_after]
            self.faults += tell_of_events(
                told, "is not as this installation wrote it", "are not as this installation wrote them"
            )

    def _check_events(self, group: Sequence[StoredSeal]) -> None:
        sealed = tuple(pair for seal in group if isinstance(seal, Seal) for pair in seal.digests)
        # A seal that lost its digests covers nothing; that its chain is broken is a fault already.
        covered = max((number for number, _ in sealed), default=self._last)
        unproven = self._list_unproven(group)
        found = self._session.history.digest_between(self._last + 1, covered)
        removed = self._list_removed(self._last + 1, covered)
        if removed:
            there = removed.intersection(number for number, _ in found.digests)
            self.faults += tell_of_events(sorted(there), "was removed and is there again", "were removed and are there again")
            self.removed += sum(1 for number, _ in sealed if number in removed and number not in there)
            sealed = tuple(each for each in sealed if each[0] not in removed or each[0] in there)
        if found.unmarked:
            # Those that were changed or added afterwards are told of below.
            as_sealed = {number for number, _ in frozenset(sealed).intersection(found.digests)}
            self._tell_unmarked([each for each in found.unmarked if each in as_sealed])
        if found.digests != sealed or found.unreadable:
            kept = tuple(each for each in found.digests if not any(each[0] in gap for gap in unproven))
            self.faults += list_faults(sealed, Digested(kept, found.unreadable))
        self._last = max(self._last, covered)

    def _list_removed(self, first: int, last: int) -> set[int]:
        """Return which numbers from *first* to *last* were signed for as removed."""
        return {
            number
            for record in self._records
            for low, high in record.ranges
            if low <= last and high >= first
            for number in range(max(low, first), min(high, last) + 1)
        }

    def _list_unproven(self, group: Sequence[StoredSeal]) -> list[range]:
        """Return the numbers between the seals that can be read where one between them cannot; those are a fault."""
        gaps, last = [], self._last
        for seal in group:
            if not isinstance(seal, Seal) or not seal.digests:
                self._unproven_after = last if self._unproven_after is None else self._unproven_after
                continue
            if self._unproven_after is not None:
                gap = range(max(self._unproven_after + 1, 1), seal.statement.first)
                gaps.append(gap)
                self.faults += tell_of_events(gap, "is not proven", "are not proven")
                self._unproven_after = None
            last = seal.statement.last
        return gaps


def _group(seals: Sequence[StoredSeal]) -> Iterator[list[StoredSeal]]:
    """Return *seals* in groups over about `EVENTS_A_READ` events each."""
    group: list[StoredSeal] = []
    events = 0
    for seal in seals:
        group.append(seal)
        events += len(seal.digests) if isinstance(seal, Seal) else 0
        if events >= EVENTS_A_READ:
            yield group
            group, events = [], 0
    if group:
        yield group
