"""The key-encryption key gets a new version, on each database: everything is sealed again, and nothing is forgotten."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import LargeBinary

from certwright.adapters.keys.key_encryption import FORMAT as BY_PASSPHRASE
from certwright.adapters.keys.keyring import FORMAT, Keyring
from certwright.adapters.sql.marked_rows import MARKED_ROWS
from certwright.adapters.sql.sealed_rows import SEALED_COLUMNS
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.sql.tables import metadata
from certwright.application.rotate_keys import BATCH_ROWS, change_passphrase, list_key_versions, rotate_keys
from certwright.application.world import World
from certwright.domain.admin_keys import (
    AdminKey,
    AdminKeys,
    AdminKeyScheme,
    CardMasterKey,
    name_imported_key,
    name_master_key,
)
from certwright.domain.certificates import SerialNumber
from certwright.domain.data_items import DataItem
from certwright.domain.distributed_passwords import DistributedPasswords
from certwright.domain.errors import ChangedMeanwhile, KeyVersionUnavailable, SealedByPassphrase
from certwright.domain.events import Event
from certwright.domain.external_certificates import ExternalCertificate, name_external_key
from certwright.domain.keys import KeyVersion, SealedKey, SealedPart
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import OutboxMessage, OutboxMessageId
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import CardId, SmartcardId, name_pin
from worlds.authorities import KEK
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import ALICE, make_card, make_request
from worlds.house import found_house

PASSPHRASE = "correct horse battery staple"
SECRET = b"a private key"
PUBLIC_BINARIES = {
    "events.mark",
    *(f"{each.table.name}.{each.mark}" for each in MARKED_ROWS),
    "certificates.request_digest",
    "certificates.key_digest",
    "certificates.to_be_signed",
    "certificates.encoded",
    "certified_keys.key_digest",
    "seals.digests",
    "seals.chain",
    "seals.signature",
    "keys.public",
    "pooled_keys.public",
    "external_certificates.encoded",
    "external_certificates.public_key",
    "authorities.certificate",
    "outbox.payload",
    "archived_keys.agents",
    "archived_keys.enveloped",
    "recovery_agents.certificate",
    "history_probe.ballast",
    "retention_records.signature",
    "one_time_passwords.digests",
}
"""Octets with nothing private in them, and archived keys, which only their agents open."""
WRAPPED = "key_versions.wrapped"
"""Sealed by the passphrase, not by a version."""


@dataclass
class Vault:
    """A store with a keyring of its own. Shape: *passphrase* is what the settings would name."""

    store: SqlStore
    keyring: Keyring
    world: World
    passphrase: str = PASSPHRASE

    def keep_key(self, name: str, sealed: bytes | None = None) -> None:
        key = SealedKey(name=name, public=b"public", sealed=sealed or self.keyring.seal(SECRET, name), created=NOW)
        with self.store.writing() as session:
            session.keys.save_key(key)

    def keep_answer(self, value: str) -> RequestId:
        items = (DataItem("Reason", "a new card"), DataItem("Badge", value, is_sensitive=True), DataItem("None", None, True))
        request = make_request(data=items)
        with self.store.writing() as session:
            session.requests.add(request)
        return request.id

    def keep_message(self, secret: bytes) -> None:
        message = OutboxMessage(
            id=OutboxMessageId(uuid4()),
            sink="mail",
            recipient="alice@contoso.com",
            notification=NotificationType.DISTRIBUTE_SECRETS,
            subject_id=uuid4(),
            request_id=uuid4(),
            created=NOW,
            due=NOW,
            payload=secret,
            has_secret=True,
        )
        with self.store.writing() as session:
            session.outbox.add([message])

    def keep_passwords(self, request_id: RequestId) -> None:
        passwords = DistributedPasswords(
            request_id=request_id, key=SECRET, digests=(bytes(32),), distributed=NOW, expires=NOW, tries_left=1
        )
        with self.store.writing() as session:
            session.passwords.save(passwords)

    def passwords_key(self, request_id: RequestId) -> bytes:
        with self.store.reading() as session:
            found = session.passwords.find(request_id)
        assert found is not None
        return found.key

    def keep_card(self) -> SmartcardId:
        card_id, smartcard_id = CardId(uuid4()), SmartcardId(uuid4())
        pin = self.keyring.seal(SECRET, name_pin(smartcard_id))
        sealed = self.keyring.seal(SECRET, name_imported_key(card_id))
        keys = AdminKeys(offered=AdminKey(scheme=AdminKeyScheme.IMPORTED, sealed=sealed))
        card = make_card(id=smartcard_id, card_id=card_id, admin_keys=keys, sealed_pin=pin)
        master = CardMasterKey(version=1, sealed=self.keyring.seal(SECRET, name_master_key(1)))
        with self.store.writing() as session:
            session.smartcards.add(card)
            session.card_master_keys.add(master, NOW)
        return card.id

    def open_card(self, smartcard_id: SmartcardId) -> list[bytes]:
        with self.store.reading() as session:
            card, master = session.smartcards.get(smartcard_id), session.card_master_keys.find_newest()
        assert card.admin_keys.offered is not None
        assert master is not None
        names = {
            card.admin_keys.offered.sealed: name_imported_key(card.card_id),
            master.sealed: name_master_key(1),
            card.sealed_pin: name_pin(card.id),
        }
        return [self.keyring.open(sealed or b"", name) for sealed, name in names.items()]

    def claim_message(self) -> bytes:
        with self.store.writing() as session:
            (message,) = session.outbox.list_due("mail", now=NOW, latest=NOW, limit=10)
            claimed = session.outbox.claim(message, until=NOW)
        assert claimed is not None
        return claimed.payload

    def keep_pooled_key(self) -> None:
        key = SealedKey(name="pool/1", public=b"public", sealed=self.keyring.seal(SECRET, "pool/1"), created=NOW)
        with self.store.writing() as session:
            session.key_pool.add("RSA 2048", key)

    def keep_external_key(self) -> None:
        sealed = self.keyring.seal(SECRET, name_external_key("00FF"))
        attached = ExternalCertificate(
            thumbprint="00FF",
            serial=SerialNumber(1),
            subject_id=ALICE,
            template_id=TEMPLATE.id,
            requester_name="CORP\\alice",
            authority_name="CN=Elsewhere",
            subject_name="CN=alice",
            not_before=NOW,
            not_after=NOW,
            public_key=b"public",
            encoded=b"certificate",
            imported_at=NOW,
            sealed_key=sealed,
        )
        with self.store.writing() as session:
            session.external.add([attached])

    def open_external_key(self) -> bytes:
        with self.store.reading() as session:
            found = session.external.find("00FF")
        assert found is not None
        assert found.sealed_key is not None
        return self.keyring.open(found.sealed_key, name_external_key("00FF"))

    def open_key(self, name: str) -> bytes:
        with self.store.reading() as session:
            found = session.keys.find_key(name)
        assert found is not None
        return self.keyring.open(found.sealed, name)

    def answer(self, request_id: RequestId) -> str | None:
        with self.store.reading() as session:
            return session.requests.get(request_id).data[1].value

    def counts(self) -> dict[int | None, int]:
        return dict(list_key_versions(keyring=self.keyring, files=(), world=self.world).counts)

    def told(self) -> list[tuple[str, str]]:
        with self.store.reading() as session:
            events = [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event)]
        return [(each.type.value, each.actor) for each in events if each.actor == "root"]

    def rotate(self, tell: Callable[[str], None] = lambda _: None):
        return rotate_keys(keyring=self.keyring, files=(), operator="root", world=self.world, tell=tell)


@pytest.fixture
def vault(url: str) -> Iterator[Vault]:
    def find(number: int | None) -> KeyVersion | None:
        with store.reading() as session:
            return session.keys.find_version(number)

    keyring = Keyring(lambda: made.passphrase, find)
    store = open_store(url, cipher=keyring)
    made = Vault(store, keyring, found_house(store).world)
    with store.writing() as session:
        # The house comes with keys that were sealed elsewhere.
        session.keys.delete_keys([each.key for each in session.sealed.list_after("keys.sealed", None, 100)])
        session.keys.add_version(keyring.make_version(None, NOW))
    yield made
    store.close()


def test_every_column_of_octets_is_known_as_sealed_or_as_public() -> None:
    octets = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    sealed = {each.place for each in SEALED_COLUMNS}
    assert octets - sealed == PUBLIC_BINARIES | {WRAPPED}


def list_places_of_sealed_values(url: str) -> set[str]:
    """Return every column of the database in which something sealed is found, as octets, base64 or hexadecimal."""
    markers = [b"certwright-key/", b"Y2VydHdyaWdodC1rZXkv", b"certwright-key/".hex().encode()]
    is_sqlite = url.startswith("sqlite")
    connection: Any = sqlite3.connect(url.removeprefix("sqlite:///")) if is_sqlite else psycopg.connect(url)
    found = set()
    for table in metadata.tables.values():
        names = [column.name for column in table.columns]
        for row in connection.execute(f"SELECT {', '.join(names)} FROM {table.name}").fetchall():
            for name, value in zip(names, row, strict=True):
                octets = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                if any(each in octets for each in markers):
                    found.add(f"{table.name}.{name}")
    connection.close()
    return found


def test_nothing_sealed_is_in_a_column_that_a_rotation_does_not_know(vault: Vault, url: str) -> None:
    vault.keep_key("root")
    vault.keep_passwords(vault.keep_answer("31337"))
    vault.keep_message(b"a one-time password")
    vault.keep_card()
    vault.keep_pooled_key()
    vault.keep_external_key()
    assert list_places_of_sealed_values(url) == {each.place for each in SEALED_COLUMNS} | {WRAPPED}


def test_a_rotation_seals_keys_and_answers_again_and_tells_so(vault: Vault) -> None:
    names = [f"key {number:04}" for number in range(2 * BATCH_ROWS + 5)]
    for name in names:
        vault.keep_key(name)
    request_id = vault.keep_answer("31337")
    vault.keep_passwords(request_id)
    vault.keep_message(b"a one-time password")
    card = vault.keep_card()
    vault.keep_external_key()
    lines: list[str] = []
    done = vault.rotate(lines.append)
    assert (done.version, done.resealed, done.unreadable, done.is_continued) == (2, len(names) + 7, (), False)
    assert vault.counts() == {2: len(names) + 7}
    assert {vault.open_key(name) for name in names} == {SECRET}
    assert vault.answer(request_id) == "31337"
    assert vault.passwords_key(request_id) == SECRET
    assert vault.claim_message() == b"a one-time password"
    assert vault.open_card(card) == [SECRET, SECRET, SECRET]
    assert vault.open_external_key() == SECRET
    assert vault.told() == [("key-version.added", "root"), ("keys.rotated", "root")]
    assert "keys.sealed: sealed 400 rows again" in lines


def test_what_the_passphrase_sealed_comes_under_the_version_that_is_there(vault: Vault) -> None:
    vault.keep_key("root", KEK.seal(SECRET, "root"))
    assert vault.counts() == {0: 1}
    done = vault.rotate()
    assert (done.version, done.is_continued) == (1, True)
    assert vault.counts() == {1: 1}
    assert vault.open_key("root") == SECRET


def test_a_rotation_that_was_broken_off_is_brought_to_its_end_and_the_next_is_a_new_one(vault: Vault) -> None:
    for number in range(3 * BATCH_ROWS):
        vault.keep_key(f"key {number:04}")

    def break_off(sentence: str) -> None:
        if "400" in sentence:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vault.rotate(break_off)
    assert vault.counts() == {1: BATCH_ROWS, 2: 2 * BATCH_ROWS}
    assert vault.open_key("key 0000") == vault.open_key("key 0599") == SECRET
    done = vault.rotate()
    assert (done.version, done.resealed, done.is_continued) == (2, BATCH_ROWS, True)
    assert vault.rotate().version == 3
    assert vault.counts() == {3: 3 * BATCH_ROWS}


def test_what_changes_during_a_rotation_is_neither_lost_nor_left_behind(vault: Vault) -> None:
    requests = [vault.keep_answer(str(number)) for number in range(BATCH_ROWS + 10)]

    def change_one(_sentence: str) -> None:
        with vault.store.writing() as session:
            for each in (requests[-1], requests[0]):
                request = session.requests.get(each)
                items = (request.data[0], replace(request.data[1], value="changed"), request.data[2])
                session.requests.answer(replace(request, data=items))
        vault.keep_key(f"key {uuid4()}")

    vault.rotate(change_one)
    assert [vault.answer(each) for each in (requests[0], requests[-1], requests[1])] == ["changed", "changed", "1"]
    assert set(vault.counts()) == {2}


def test_a_row_that_changed_since_it_was_read_is_left_to_who_changed_it(vault: Vault) -> None:
    vault.keep_key("root")
    with vault.store.reading() as session:
        (row,) = session.sealed.list_after("keys.sealed", None, 10)
        assert session.sealed.list_after("keys.sealed", row.key, 10) == ()
    vault.keep_key("root", vault.keyring.seal(b"another key", "root"))
    with vault.store.writing() as session:
        assert not session.sealed.replace(row, (SealedPart("root", b"late"),))
    assert vault.open_key("root") == b"another key"


def test_what_cannot_be_opened_is_named_left_alone_and_keeps_nothing_else_back(vault: Vault) -> None:
    vault.keep_key("broken", vault.keyring.seal(SECRET, "of another row"))
    vault.keep_key("lost", FORMAT + (7).to_bytes(4) + bytes(40))
    vault.keep_key("strange", b"never ours")
    vault.keep_key("whole")
    done = vault.rotate()
    assert (done.version, done.resealed) == (2, 1)
    assert [each.partition(": ")[0] for each in done.unreadable] == [
        "keys.sealed, broken",
        "keys.sealed, lost",
        "keys.sealed, strange",
    ]
    assert "Version 7 of the key-encryption key is not in the database" in done.unreadable[1]
    assert vault.open_key("whole") == SECRET
    assert vault.counts() == {1: 1, 2: 1, 7: 1, None: 1}
    assert vault.rotate().version == 3


def test_another_passphrase_wraps_the_versions_and_seals_nothing_again(vault: Vault) -> None:
    vault.keep_key("root")
    vault.rotate()
    with vault.store.reading() as session:
        before = session.keys.find_key("root")
    wrapped = change_passphrase("sesame, open", keyring=vault.keyring, files=(), operator="root", world=vault.world)
    assert [each.number for each in wrapped] == [1, 2]
    with vault.store.reading() as session:
        assert session.keys.find_key("root") == before
        assert session.keys.list_versions() == wrapped
    assert vault.told()[-1] == ("passphrase.changed", "root")
    assert vault.open_key("root") == SECRET
    with pytest.raises(KeyVersionUnavailable):
        vault.rotate()
    vault.passphrase = "sesame, open"
    assert vault.rotate().version == 3


def test_a_passphrase_that_seals_values_itself_is_not_changed(vault: Vault) -> None:
    vault.keep_key("root", KEK.seal(SECRET, "root"))
    with vault.store.reading() as session:
        before = session.keys.list_versions()
    with pytest.raises(SealedByPassphrase, match="itself: 1\\."):
        change_passphrase("sesame", keyring=vault.keyring, files=(), operator="root", world=vault.world)
    with vault.store.reading() as session:
        assert session.keys.list_versions() == before
        found = session.keys.find_key("root")
    assert found is not None
    assert found.sealed.startswith(BY_PASSPHRASE)


def test_a_number_is_given_to_one_version(vault: Vault) -> None:
    again = vault.keyring.make_version(None, NOW)
    with pytest.raises(ChangedMeanwhile), vault.store.writing() as session:
        session.keys.add_version(again)
