"""A database of version 1 with everything that version could write is migrated, and then works, on each database."""

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection, create_engine, insert, text, update

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.adapters.sql.schema import MIGRATIONS, migrate
from certwright.adapters.sql.store import open_store
from certwright.adapters.sql.tables import metadata
from certwright.application.approve_request import approve_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.enroll import Submission, enroll
from certwright.application.import_templates import import_templates
from certwright.application.manage_templates import export_templates
from certwright.application.read_holdings import list_own_certificates, list_profiles
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import verify_history
from certwright.bootstrap import Installation, open_installation
from certwright.domain.certificates import KeyHolder
from certwright.domain.errors import StoredRowAltered, StoreUnavailable
from certwright.domain.events import Event, EventType
from certwright.domain.identities import Caller, UserId
from certwright.domain.ports import Session
from certwright.domain.profiles import ProfileFlags, ProfileStatus
from certwright.domain.requests import RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.workflows import Operation
from certwright.formats.public_keys import describe_public_key
from certwright.wire.cli import main
from certwright.wire.cli.operators import find_operator
from worlds.holdings import list_requests_of

ROWS: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent.parent / "vectors" / "version-1.json").read_text())
PASSPHRASE = "correct horse battery staple"
RENEW = "\n[profile_templates.policies.renew]\nself_service = true\nrevocation = { revoke_old_certificates = true }\n"


MARKED = (
    "users",
    "password_hashes",
    "user_groups",
    "group_members",
    "grants",
    "profile_templates",
    "requests",
    "profiles",
    "certificates",
    "authorities",
)
"""Tables of version 1 whose rows are marked when it is migrated; those of two have two marks."""


def decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, encoded),) = value.items()
    match kind:
        case "uuid":
            return UUID(encoded)
        case "time":
            return datetime.fromisoformat(encoded)
        case "base64":
            return base64.b64decode(encoded)
    return int(encoded)


def fill(connection: Connection) -> None:
    """Make the tables of version 1, with its rows."""
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "0001")
    connection.execute(text("DELETE FROM directory_revision"))
    for table in metadata.sorted_tables:
        for row in ROWS.get(table.name, ()):
            connection.execute(insert(table).values({name: decode(value) for name, value in row.items()}))
        numbered = {"number", "sequence"} & ROWS.get(table.name, [{}])[0].keys()
        if connection.dialect.name == "postgresql" and numbered and table.name != "seals":
            (name,) = numbered
            last = f"SELECT setval(pg_get_serial_sequence('{table.name}', '{name}'), max({name})) FROM {table.name}"
            connection.execute(text(last))


@pytest.fixture
def old_url(empty_url: str) -> str:
    engine = create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        fill(connection)
    engine.dispose()
    return empty_url


def certify_with_exponent_3(connection: Connection) -> rsa.RSAPublicKey:
    """Give the first certificate a key with another exponent than nearly all have, and revoke the second as compromised."""
    key = rsa.generate_private_key(3, 2_048)
    name, moment = x509.Name([]), datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, moment, moment + timedelta(days=1))
    certificates, keys = metadata.tables["certificates"], metadata.tables["certified_keys"]
    first, second, *_ = ROWS["certificates"]
    before, digest = decode(first["key_digest"]), sha256(spell_key(key.public_key())).digest()
    encoded = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    changed = update(certificates).where(certificates.c.key_digest == before)
    connection.execute(changed.values(encoded=encoded, to_be_signed=None, key_digest=digest))
    connection.execute(update(keys).where(keys.c.key_digest == before).values(key_digest=digest))
    revoked = update(certificates).where(certificates.c.number == second["number"])
    connection.execute(revoked.values(revocation_reason=int(RevocationReason.KEY_COMPROMISE), revoked_at=moment))
    return key.public_key()


def spell_key(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_keys_of_version_1_are_found_by_their_modulus_and_compromised_ones_stay_so(old_url: str) -> None:
    engine = create_engine(old_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        key = certify_with_exponent_3(connection)
    engine.dispose()
    migrate(old_url)
    twin = rsa.RSAPublicNumbers(65_537, key.public_numbers().n).public_key()
    first, second, third = ROWS["certificates"]
    with closing(open_store(old_url)) as store, store.reading() as session:
        find = session.certificates.find_key_holder
        assert find(describe_public_key(key).digest) == KeyHolder(UserId(decode(first["subject_id"])))
        assert find(describe_public_key(twin).digest) == KeyHolder(UserId(decode(first["subject_id"])))
        assert find(sha256(spell_key(key)).digest()) is None
        assert find(decode(first["key_digest"])) is None
        assert find(decode(second["key_digest"])) == KeyHolder(UserId(decode(second["subject_id"])), is_compromised=True)
        assert find(decode(third["key_digest"])) == KeyHolder(UserId(decode(third["subject_id"])))


@pytest.fixture
def installation(old_url: str, tmp_path: Path) -> Iterator[Installation]:
    """The installation that the database is of, after its migration."""
    with pytest.raises(StoreUnavailable, match=r"version 1 and has to be migrated to .*: certwright migrate"):
        open_store(old_url)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text(f'[database]\nurl = "{old_url}"\n')
    (folder / "passphrase").write_text(PASSPHRASE)
    (folder / "passphrase").chmod(0o600)
    migrated = CliRunner().invoke(main, ["migrate", "--data", str(folder)])
    assert (migrated.exit_code, migrated.output) == (0, "The database is of this version.\n")
    with open_installation(folder) as opened:
        yield opened


def sign_in(account: str, installation: Installation) -> Caller:
    with installation.world.store.reading() as session:
        found = session.directory.find_account("CORP", account)
        assert found is not None
        return Caller(found.user, found.sids, "192.0.2.7")


def make_csr() -> str:
    key = rsa.generate_private_key(65537, 2048)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def count_rows(session: Session) -> dict[str, int]:
    return {
        "users": len(session.directory.list_users()),
        "user_groups": len(session.directory.list_groups()),
        "grants": len(tuple(session.directory.load_grants())),
        "profile_templates": len(session.templates.list_versions()),
        "requests": len(list_requests_of(session)),
        "events": len(session.history.list_between(1, 1_000)),
        "authorities": len(session.keys.list_authorities()),
    }


def test_everything_of_version_1_is_read_as_it_was(installation: Installation) -> None:
    subscriber = sign_in("subscriber", installation)
    with installation.world.store.reading() as session:
        counts = count_rows(session)
        requests = list_requests_of(session)
        *_, told = session.history.list_unsealed(100)
        password = session.directory.find_password_hash(subscriber.user.id)
    assert counts == {name: len(ROWS[name]) + 4 * (name == "events") for name in counts}
    assert isinstance(told, Event)
    assert (told.type, told.actor) == (EventType.DATABASE_MIGRATED, find_operator())
    assert {each.id: int(each.status) for each in requests} == {decode(row["id"]): row["status"] for row in ROWS["requests"]}
    assert {each.operation for each in requests} == {Operation.ENROLL}
    assert sorted((each.priority, each.comment) for each in requests)[-1] == (7, "first")
    assert [item.value for each in requests for item in each.data if item.name == "Request Reason"] == ["travel"]
    held = list_profiles(by=subscriber, world=installation.world)
    assert [each.profile.status for each in held] == [ProfileStatus.DISABLED, ProfileStatus.NEW, ProfileStatus.ACTIVE]
    assert len(list_own_certificates(by=subscriber, world=installation.world)) == 3
    assert password is not None
    assert Argon2Hasher().is_match("correct horse battery", password)


def test_what_was_open_in_version_1_goes_on(installation: Installation) -> None:
    world, subscriber = installation.world, sign_in("subscriber", installation)
    with world.store.reading() as session:
        (pending,) = list_requests_of(session, statuses=frozenset({RequestStatus.PENDING}))
    for account in ("approver", "approver2"):
        approve_request(pending.id, by=sign_in(account, installation), world=world)
    with world.store.reading() as session:
        is_open = {RequestStatus.APPROVED, RequestStatus.EXECUTING}
        requests = [each for each in list_requests_of(session) if each.status in is_open and not each.flags]
    assert len(requests) == 4
    for each in requests:
        if each.status is RequestStatus.APPROVED:
            (delivered,) = enroll(each.id, Submission(certificate_requests=(make_csr(),)), by=subscriber, world=world)
            assert delivered.error is None
        assert complete_request(each.id, by=subscriber, world=world).request.status is RequestStatus.COMPLETED
    assert len(list_own_certificates(by=subscriber, world=world)) == 6


def test_a_profile_of_version_1_is_renewed_under_a_template_of_today(installation: Installation) -> None:
    world, subscriber = installation.world, sign_in("subscriber", installation)
    name = "Software Certificate"
    text_of_today = export_templates((name,), world=world) + RENEW
    (changed,) = import_templates(text_of_today, "today.toml", operator="root", world=world).templates
    assert (changed.name, changed.version) == (name, 3)
    (old,) = [each.profile for each in list_profiles(by=subscriber, world=world) if each.profile.status is ProfileStatus.ACTIVE]
    request = create_request(RequestWish(operation=Operation.RENEW, profile_id=old.id), by=subscriber, world=world)
    enroll(request.id, Submission(certificate_requests=(make_csr(),)), by=subscriber, world=world)
    renewed = complete_request(request.id, by=subscriber, world=world).request
    with world.store.reading() as session:
        profile = session.profiles.get(old.id)
        (revoked,) = session.certificates.list_of_profile(old.id)
        assert ProfileFlags.SUPERSEDED in profile.flags
        assert revoked.revoked_at is not None
        assert renewed.profile_id is not None
        assert session.profiles.get(renewed.profile_id).template_version == 3


def test_the_history_of_version_1_is_whole_and_goes_on(installation: Installation) -> None:
    sealed = seal_history(world=installation.world, key=installation.sealing_key)
    assert sealed > 0
    found = verify_history(world=installation.world, key=installation.sealing_key)
    assert (found.faults, found.events, found.unsealed) == ((), len(ROWS["events"]) + 4, 0)
    marked = sum(len(ROWS[each]) for each in MARKED) + sum(len(ROWS[each]) for each in ("requests", "certificates"))
    assert (found.rows, found.remarks) == (
        marked,
        (f"{marked:,} rows as found when rows were first marked: what was done to them before is not proven",),
    )


def test_rows_of_version_1_are_marked_once_and_refused_when_they_are_changed_afterwards(
    installation: Installation, old_url: str
) -> None:
    world = installation.world
    with world.store.reading() as session:
        (marked,) = [
            each
            for each in session.history.list_between(1, 1_000)
            if isinstance(each, Event) and each.type is EventType.STATE_MARKED
        ]
    assert marked.details["rows"].count("; ") == sum(len(ROWS[each]) for each in (*MARKED, "requests", "certificates")) - 1
    engine = create_engine(old_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET email = 'another@example.com' WHERE account_name = 'subscriber'"))
    engine.dispose()
    with pytest.raises(StoredRowAltered), open_installation(installation.data) as again:
        sign_in("subscriber", again)
    (fault,) = verify_history(world=world, key=installation.sealing_key).faults
    assert "subscriber) is not as this installation wrote it" in fault
