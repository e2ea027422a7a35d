"""What the history needs from outside: a store, a key, places that keep what is told of it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from certwright.domain.event_search import EventSearch, FoundEvents
from certwright.domain.events import Checkpoint, Digested, Event, Seal, StoredEvent, StoredSeal
from certwright.domain.public_keys import PublicKey
from certwright.domain.requests import RequestId
from certwright.domain.retention import RetentionRecord
from certwright.domain.state_proof import StateProof


class History(Protocol):
    """Events, append only, and the seals over them. Who can write to the database can make events unreadable."""

    @property
    def marked_after(self) -> int | None:
        """Return the number above which every event has to carry a mark; None where events are not marked."""

    @property
    def has_all_numbers(self) -> bool:
        """Return whether the store gives every number, so that one that is left out was taken away."""

    def append(self, events: Iterable[Event]) -> None:
        """Store new events in their order; the store gives the numbers, whatever they say."""

    def probe(self, at: datetime) -> None:
        """Write down that at *at* it was looked whether events can be written: about as much as some of them would take."""

    def find_last_settings(self) -> StoredEvent | None:
        """Return the last event of changed settings, at once, however long the history is."""

    def list_of_request(self, request_id: RequestId) -> tuple[StoredEvent, ...]:
        """Return the request's events in their order."""

    def list_unsealed(self, limit: int) -> tuple[StoredEvent, ...]:
        """Return committed events above the last sealed one, ascending, none of them to be overtaken by a later commit."""

    def count_unsealed(self) -> int:
        """Return how many events are above the last sealed one, as this session sees it: at once, and never 0 when
        there are some; numbers that were never given to an event count.
        """

    def list_between(self, first: int, last: int) -> tuple[StoredEvent, ...]:
        """Return the events of a range of sequence numbers, ascending."""

    def list_found(self, search: EventSearch, *, after: int, most: int) -> FoundEvents:
        """Return at most *most* events above *after* that *search* is about, ascending, as far as one look goes."""

    def list_newest_found(self, search: EventSearch, *, before: int, most: int) -> FoundEvents:
        """Return at most *most* of the last events below *before* that *search* is about, ascending, likewise."""

    def digest_unsealed(self, limit: int) -> Digested:
        """Return what `list_unsealed` lists, as digests."""

    def digest_after(self, sequence: int, limit: int) -> Digested:
        """Return the first *limit* events above *sequence*, as digests."""

    def digest_between(self, first: int, last: int) -> Digested:
        """Return what `list_between` lists, as digests."""

    def list_copied(self) -> tuple[int, ...]:
        """Return the numbers of events that have the mark of another, ascending."""

    def find_last_number(self) -> int:
        """Return the number of the newest event, as this session sees it; 0 when there is none."""

    def find_last_given(self) -> int | None:
        """Return the highest number that the store says it gave to an event; None where it does not say."""

    def find_first(self) -> StoredEvent | None:
        """Return the event with the lowest number."""

    def add_seal(self, seal: Seal) -> None:
        """Errors: ChangedMeanwhile when another sealer was first with this number."""

    def find_last_seal(self) -> StoredSeal | None:
        """Return the seal with the highest number."""

    def find_seal_over(self, sequence: int) -> StoredSeal | None:
        """Return the seal that the event is under; None for one that is not sealed yet."""

    def list_seals(self, after: int, limit: int) -> tuple[StoredSeal, ...]:
        """Return seals with numbers above *after*, ascending."""


class Retention(Protocol):
    """What may be removed from the history, and what was."""

    def find_last_old(self, before: datetime) -> int:
        """Return the number of the last sealed event from before *before*; 0 when there is none."""

    def list_removable(self, before: datetime, now: datetime, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers of the sealed events from before *before* that may be removed at *now*, of those from *first* to
        *last*, ascending.
        """

    def find_last_number(self) -> int:
        """Return the number of the last record; 0 when there is none."""

    def remove(self, record: RetentionRecord) -> None:
        """Remove the events of *record*, and keep it."""

    def list_records(self) -> tuple[RetentionRecord, ...]:
        """Return all records by their numbers; of one that was made unreadable, what can be read."""


class State(Protocol):
    """Rows by which is decided, each with a mark that the installation alone can make, and which the history knows."""

    def prove(self) -> StateProof:
        """Return what does not fit: rows without their mark, those that the history knows otherwise, or not, or misses."""

    def settle(self, *, newer_than: int = 0) -> Iterator[str]:
        """Give every row that does not fit its mark as it is now, and return what events have to say of it, in parts.

        Shape: of kinds that came with versions of the marks above *newer_than*.
        """

    def list_kinds(self, *, newer_than: int = 0) -> tuple[str, ...]:
        """Return the names of those kinds."""


class SealingKey(Protocol):
    """The key that seals the history."""

    @property
    def public_key(self) -> PublicKey: ...

    def sign(self, data: bytes) -> bytes: ...

    def is_signed(self, data: bytes, signature: bytes) -> bool: ...


class CheckpointSink(Protocol):
    """A place outside of the database that keeps what is told of the newest seals."""

    def is_behind(self, checkpoint: Checkpoint, at: datetime) -> bool:
        """Return whether it should be told of *checkpoint* now."""

    def write(self, checkpoint: Checkpoint, at: datetime) -> None:
        """Keep *checkpoint*, durably. Errors: CheckpointUnavailable."""
