"""Encrypt archived keys anew, to the recovery agents that there are now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from certwright.application.open_archive import OnlineAgent, archive_key, list_online_agents, open_archived
from certwright.application.world import World
from certwright.domain.archive import ArchivedKey, RecoveryAgent, digest_agents, list_current
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import ArchiveUnreadable, KeyNotRecovered, RecoveryAgentMissing
from certwright.domain.events import Event, EventType, tell_of_operator

BATCH = 100
"""Keys in one transaction: what a crash undoes at most."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. Shape: *total* is what there was to do at the beginning; *failed* are left as they were."""

    done: int
    failed: tuple[KeyNotRecovered, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Batch:
    agents: tuple[RecoveryAgent, ...]
    online: tuple[OnlineAgent, ...]
    keys: tuple[tuple[ArchivedKey, Certificate | None], ...]


def rearchive_keys(
    *, operator: str, world: World, tell: Callable[[Progress], None] = lambda _: None, batch: int = BATCH
) -> Progress:
    """Return what was done: every archived key whose recipients are not the current agents is encrypted to those.

    A run that was broken off is simply run again: what is done is not looked at any more. The server may run meanwhile. *tell*
    is given the progress after each *batch* of so many.

    Errors: RecoveryAgentMissing when there is nobody to encrypt them to.
    """
    progress, after = Progress(0, (), _count(world)), None
    while True:
        read = _read_batch(after, batch, world)
        if not read.keys:
            return progress
        renewed = world.workshop.each(partial(_renew, batch=read, world=world), read.keys)
        progress = _store(read, renewed, progress, operator, world)
        after = read.keys[-1][0].serial
        tell(progress)


def _count(world: World) -> int:
    with world.store.reading() as session:
        current = list_current(session.archive.list_agents())
        if not current:
            raise RecoveryAgentMissing("all certificates")
        return session.archive.count_outdated(digest_agents(current))


def _read_batch(after: SerialNumber | None, limit: int, world: World) -> _Batch:
    with world.store.reading() as session:
        agents = session.archive.list_agents()
        found = session.archive.list_outdated(digest_agents(list_current(agents)), after, limit)
        keys = tuple((each, session.certificates.find(each.serial)) for each in found)
        return _Batch(agents, list_online_agents(session), keys)


def _renew(pair: tuple[ArchivedKey, Certificate | None], *, batch: _Batch, world: World) -> ArchivedKey | KeyNotRecovered:
    archived, certificate = pair
    serial = format_serial_number(archived.serial)
    if certificate is None:
        return ArchiveUnreadable(serial, "the register has no such certificate")
    try:
        found = open_archived(archived, certificate, batch.online, world)
    except KeyNotRecovered as refused:
        return refused
    if found is None:
        return ArchiveUnreadable(serial, "none of its agents is online")
    return archive_key(found.key, archived.serial, batch.agents, world)


def _store(
    batch: _Batch,
    renewed: Sequence[ArchivedKey | KeyNotRecovered],
    progress: Progress,
    operator: str,
    world: World,
) -> Progress:
    failed = [each for each in renewed if isinstance(each, KeyNotRecovered)]
    with world.store.writing() as session:
        pairs = zip(batch.keys, renewed, strict=True)
        done = [
            format_serial_number(new.serial)
            for (before, _), new in pairs
            if isinstance(new, ArchivedKey) and session.archive.replace(new, before)
        ]
        session.history.append(_list_events(done, failed, operator, world))
    return Progress(progress.done + len(done), (*progress.failed, *failed), progress.total)


def _list_events(done: list[str], failed: list[KeyNotRecovered], operator: str, world: World) -> list[Event]:
    now = world.clock.now()
    told = [tell_of_operator(EventType.KEYS_REARCHIVED, operator, now, serials=" ".join(done))] if done else []
    return [*told, *(tell_of_operator(EventType.KEY_UNREADABLE, operator, now, error=str(each)) for each in failed)]
