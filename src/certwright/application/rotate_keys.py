"""Give the key-encryption key a new version, or another passphrase, while servers go on serving."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from certwright.application.world import World
from certwright.domain.counts import count_of
from certwright.domain.errors import KeyUnavailable, KeyVersionUnavailable, SealedByPassphrase
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.keys import PASSPHRASE_VERSION, KeyVersion, SealedPart, SealedRow
from certwright.domain.ports_at_rest import Keyring, SealedFile

BATCH_ROWS = 200
"""How many rows are sealed again in one transaction; other writers wait for no more than that."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    Shape: *unreadable* names what could not be opened and stays as it is; *is_continued* when an earlier rotation had been
    broken off and this one only brought it to its end.
    """

    version: int
    resealed: int
    unreadable: tuple[str, ...]
    is_continued: bool


@dataclass(frozen=True, slots=True)
class KeyReport:
    """Which versions there are, and how many values each has sealed. Shape: the version None stands for what we never made."""

    versions: tuple[KeyVersion, ...]
    counts: Mapping[int | None, int]


@dataclass(slots=True)
class _Pass:
    resealed: int = 0
    unreadable: tuple[str, ...] = ()


def list_key_versions(*, keyring: Keyring, files: Sequence[SealedFile], world: World) -> KeyReport:
    """Return the versions of the key-encryption key with what each of them seals."""
    with world.store.reading() as session:
        versions = session.keys.list_versions()
    counts: Counter[int | None] = Counter()
    for row in _list_rows(files, world):
        counts.update(keyring.find_version(each.sealed) for each in row.parts)
    return KeyReport(versions, counts)


def rotate_keys(
    *, keyring: Keyring, files: Sequence[SealedFile], operator: str, world: World, tell: Tell = lambda _: None
) -> Rotation:
    """Bring everything that is sealed under a new version of the key-encryption key.

    Where an earlier rotation was broken off, this brings it to its end instead. It may be broken off itself at any moment:
    every value opens all the time. *tell* is given what is being done.

    Errors: KeyVersionUnavailable.
    """
    with world.store.reading() as session:
        newest = session.keys.find_version()
    done = _reseal(newest.number, keyring, files, world, tell) if newest else _Pass()
    is_continued = done.resealed > 0
    if not is_continued:
        newest = _add_version(keyring, operator, world)
        tell(f"Version {newest.number} is there, and seals what comes from now on")
        done = _reseal(newest.number, keyring, files, world, tell)
    version = newest.number if newest else 0
    told = tell_of_operator(
        EventType.KEYS_ROTATED,
        operator,
        world.clock.now(),
        version=str(version),
        resealed=str(done.resealed),
        unreadable=str(len(done.unreadable)),
    )
    with world.store.writing() as session:
        session.history.append([told])
    return Rotation(version, done.resealed, done.unreadable, is_continued)


def change_passphrase(
    passphrase: str, *, keyring: Keyring, files: Sequence[SealedFile], operator: str, world: World
) -> tuple[KeyVersion, ...]:
    """Wrap every version of the key-encryption key by *passphrase*, and by no other, and return them.

    Errors: SealedByPassphrase, and nothing has changed; KeyVersionUnavailable.
    """
    direct = list_key_versions(keyring=keyring, files=files, world=world).counts.get(PASSPHRASE_VERSION, 0)
    if direct:
        raise SealedByPassphrase(direct)
    with world.store.writing() as session:
        wrapped = tuple(keyring.wrap_anew(each, passphrase) for each in session.keys.list_versions_locked())
        for each in wrapped:
            session.keys.wrap_version_anew(each)
        session.history.append([tell_of_operator(EventType.PASSPHRASE_CHANGED, operator, world.clock.now())])
    return wrapped


def _add_version(keyring: Keyring, operator: str, world: World) -> KeyVersion:
    now = world.clock.now()
    with world.store.writing() as session:
        there = session.keys.list_versions_locked()
        version = keyring.make_version(there[-1] if there else None, now)
        session.keys.add_version(version)
        session.history.append([tell_of_operator(EventType.KEY_VERSION_ADDED, operator, now, version=str(version.number))])
    return version


def _reseal(version: int, keyring: Keyring, files: Sequence[SealedFile], world: World, tell: Tell) -> _Pass:
    """Go through everything until there is nothing left to do: what changed under our hands is met again."""
    total = 0
    while True:
        done = _reseal_once(version, keyring, world, tell)
        total += done.resealed
        if not done.resealed:
            break
    for file in files:
        row = file.find_sealed()
        if row is not None:
            parts = _seal_again(row, version, keyring, done)
            if parts is not None:
                file.replace_sealed(parts[0])
                total += 1
    done.resealed = total
    return done


def _reseal_once(version: int, keyring: Keyring, world: World, tell: Tell) -> _Pass:
    done = _Pass()
    for rows in _list_batches(world):
        replacements = [(row, parts) for row in rows if (parts := _seal_again(row, version, keyring, done)) is not None]
        if replacements:
            with world.store.writing() as session:
                done.resealed += sum(session.sealed.replace(row, parts) for row, parts in replacements)
            tell(f"{rows[0].place}: sealed {count_of(done.resealed, 'row')} again")
    return done


def _seal_again(row: SealedRow, version: int, keyring: Keyring, done: _Pass) -> tuple[SealedPart, ...] | None:
    """Return what to store, or None where nothing changes; what does not open is noted, and stays as it is."""
    parts = tuple(_seal_part_again(row.place, each, version, keyring, done) for each in row.parts)
    return None if parts == row.parts else parts


def _seal_part_again(place: str, part: SealedPart, version: int, keyring: Keyring, done: _Pass) -> SealedPart:
    if keyring.find_version(part.sealed) == version:
        return part
    try:
        return keyring.seal_again(part, version)
    except (KeyUnavailable, KeyVersionUnavailable) as fault:
        done.unreadable += (f"{place}, {part.name}: {fault}",)
        return part


def _list_rows(files: Sequence[SealedFile], world: World) -> Iterator[SealedRow]:
    for rows in _list_batches(world):
        yield from rows
    yield from (row for each in files if (row := each.find_sealed()) is not None)


def _list_batches(world: World) -> Iterator[tuple[SealedRow, ...]]:
    """Return all rows of all places; each batch is read on its own, so that no view is held for long."""
    with world.store.reading() as session:
        places = session.sealed.places
    for place in places:
        last: object = None
        while True:
            with world.store.reading() as session:
                rows = session.sealed.list_after(place, last, BATCH_ROWS)
            if not rows:
                break
            yield rows
            last = rows[-1].key
