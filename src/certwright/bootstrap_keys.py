"""Bootstrap's part about the keys at rest: what opens them, and those that an older installation has not."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from certwright.adapters.clock import SystemClock
from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.keys.software import open_key
from certwright.adapters.secret_places import read_secret
from certwright.adapters.sql.event_marks import KEY_OCTETS, EventMarker
from certwright.adapters.sql.marked_rows import MARKS_VERSION
from certwright.adapters.sql.store import SqlStore
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.events import KINDS, ROWS, Event, EventType, tell_of_program
from certwright.domain.history_ports import State
from certwright.domain.keys import KeyVersion, SealedKey
from certwright.domain.ports_at_rest import Cipher
from certwright.settings import SETTINGS_FILE, load_settings

ROOT, ISSUING, HISTORY = "root", "issuing", "history"
"""The names of the authorities, and of the three pairs of keys that every installation has."""
EVENT_MARKS = "event-marks"
"""The name of the secret with which events are marked."""
ROW_MARKS = "row-marks"
"""The name of the secret with which rows are marked."""


def make_keyring(data: Path, get_store: Callable[[], SqlStore]) -> Keyring:
    """Return the keyring of the installation in the folder *data*, whose versions are in the store, once that is open."""

    def find_version(number: int | None) -> KeyVersion | None:
        with get_store().reading() as session:
            return session.keys.find_version(number)

    return Keyring(lambda: _read_passphrase(data), find_version)


def keep_keys(store: SqlStore, kek: Keyring) -> None:
    """Give an installation from before there were versions its first one, and *store* what marks its events.

    Errors: SecretUnavailable; KeyUnavailable; KeyVersionUnavailable.
    """
    if _keep_first_version(store, kek):
        _keep_marker(store, kek)
        _keep_row_marks(store, kek)


def make_row_marks_key(cipher: Cipher, now: datetime, kept: bytes = b"") -> tuple[SealedKey, bytes]:
    """Return a new secret with which rows are marked, or the one that is *kept*, sealed and as it is.

    The version of the marks is sealed with it, so that nobody can have rows marked once more as they are found.
    """
    secret = kept or secrets.token_bytes(KEY_OCTETS)
    sealed = cipher.seal(secret + bytes((MARKS_VERSION,)), ROW_MARKS)
    return SealedKey(name=ROW_MARKS, public=b"", sealed=sealed, created=now), secret


def make_marks_key(after: int, cipher: Cipher, now: datetime) -> tuple[SealedKey, EventMarker]:
    """Return a new secret with which all events above the number *after* are marked, sealed and in use."""
    secret = secrets.token_bytes(KEY_OCTETS)
    # The number is sealed with it, so that nobody can move it.
    sealed = cipher.seal(secret + after.to_bytes(8), EVENT_MARKS)
    return SealedKey(name=EVENT_MARKS, public=b"", sealed=sealed, created=now), EventMarker(secret, after)


def tell_marks_key_made(key: SealedKey) -> Event:
    """Return the event that the secret was made."""
    return tell_of_program(EventType.KEY_CREATED, key.created, key=key.name)


def _keep_first_version(store: SqlStore, kek: Keyring) -> bool:
    """Return whether there is a version now: an installation's passphrase is proven by what it sealed."""
    with store.reading() as session:
        if session.keys.find_version() is not None:
            return True
        proof = session.keys.find_key(ISSUING)
    if proof is None:
        return False
    open_key(proof, kek)
    with store.writing() as session, suppress(ChangedMeanwhile):
        session.keys.add_version(kek.make_version(None, SystemClock().now()))
    return True


def _keep_marker(store: SqlStore, kek: Keyring) -> None:
    with store.reading() as session:
        found, after = session.keys.find_key(EVENT_MARKS), session.history.find_last_number()
    if found is None:
        found, marker = make_marks_key(after, kek, SystemClock().now())
        store.mark_with(marker)
        try:
            with store.writing() as session:
                session.keys.add_key(found)
                session.history.append([tell_marks_key_made(found)])
        except ChangedMeanwhile:
            # Another process was first.
            _keep_marker(store, kek)
        return
    secret = kek.open(found.sealed, EVENT_MARKS)
    store.mark_with(EventMarker(secret[:KEY_OCTETS], int.from_bytes(secret[KEY_OCTETS:])))


def _keep_row_marks(store: SqlStore, kek: Keyring) -> None:
    """Let *store* mark rows; those of an installation from before are marked as they are found, and named in events."""
    with store.reading() as session:
        found = session.keys.find_key(ROW_MARKS)
    opened = b"" if found is None else kek.open(found.sealed, ROW_MARKS)
    # The first version was not written down.
    version = 0 if found is None else (opened[KEY_OCTETS] if len(opened) > KEY_OCTETS else 1)
    if version >= MARKS_VERSION:
        store.mark_rows_with(opened[:KEY_OCTETS])
        return
    now = SystemClock().now()
    key, secret = make_row_marks_key(kek, now, opened[:KEY_OCTETS])
    store.mark_rows_with(secret)
    with suppress(ChangedMeanwhile), store.writing() as session:
        if found is None:
            session.keys.add_key(key)
        else:
            session.keys.replace_key(key, found)
        told = [tell_marks_key_made(key)] if found is None else []
        session.history.append([*told, *tell_rows_marked(session.state, version, now)])
        return
    # Another process was first.
    _keep_row_marks(store, kek)


def tell_rows_marked(state: State, version: int, now: datetime) -> list[Event]:
    """Mark rows of the kinds that are newer than *version*, and return the events that name the kinds and all of the rows."""
    marked = list(state.settle(newer_than=version)) or [""]
    details = [{ROWS: each} for each in marked]
    details[0][KINDS] = " ".join(state.list_kinds(newer_than=version))
    return [replace(tell_of_program(EventType.STATE_MARKED, now), details=each) for each in details]


def _read_passphrase(data: Path) -> str:
    """Return the passphrase from where the settings say now: an administrator may have moved it while we serve."""
    return read_secret(load_settings(data / SETTINGS_FILE).keys.passphrase, data)
