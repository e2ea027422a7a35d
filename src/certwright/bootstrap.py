"""The only place where adapters meet ports: how an installation is made, and how it is opened."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.adapters.authorities.hierarchy import AuthorityPlan, create_issuing, create_root, describe_issuer
from certwright.adapters.authorities.recovery_agents import issue_agent_certificate
from certwright.adapters.authorities.tls import issue_server_identity
from certwright.adapters.authorities.tls_folder import TlsFiles, TlsFolder
from certwright.adapters.checkpoints.file import CheckpointFile
from certwright.adapters.checkpoints.webhook import CheckpointWebhook
from certwright.adapters.clock import SystemClock
from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.files import PUBLIC_MODE, make_private_folder, replace_file
from certwright.adapters.keys.card_keys import SoftwareCardKeys
from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.keys.software import SoftwareKey, SoftwareKeySafe, generate_key, open_key
from certwright.adapters.patterns import Re2Patterns
from certwright.adapters.secret_places import SECRET_OCTETS, find_or_make_secret, read_secret
from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.adapters.signin.basic import BasicSignIn
from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.turns import NoTurns, SingleTurn, ThreadCrew
from certwright.application.due_work import Job
from certwright.application.jobs import list_jobs
from certwright.application.manage_agents import NewAgent, add_agent
from certwright.application.world import World
from certwright.bootstrap_database import find_database_url, find_settings
from certwright.bootstrap_keys import HISTORY, ISSUING, ROOT, keep_keys, make_keyring, make_marks_key, tell_marks_key_made
from certwright.bootstrap_outbox import list_outbox_jobs, make_notifier
from certwright.bootstrap_pool import make_key_maker, make_pool_job
from certwright.domain.archive import RecoveryAgent
from certwright.domain.certificates import SERIAL_NUMBER_BITS, SerialNumber, format_serial_number
from certwright.domain.errors import (
    InstallationExists,
    InstallationMissing,
    KeyUnavailable,
)
from certwright.domain.events import PROGRAM, EventType, tell_of_program
from certwright.domain.history_ports import SealingKey
from certwright.domain.issuing import Issuer
from certwright.domain.keys import AuthorityRecord, SealedKey, tell_created
from certwright.domain.password_ports import PasswordHasher
from certwright.domain.pfx import PfxRules
from certwright.domain.ports import SignIn, Turns
from certwright.domain.ports_at_rest import SealedFile
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.rules.names import escape_name_value
from certwright.settings import (
    SETTINGS_FILE,
    AuthorityKey,
    Settings,
    encode_settings_template,
    load_settings,
)

ROOT_CERTIFICATE_FILE = "ca.pem"
TLS_FOLDER = "tls"
ONLINE_AGENT = "online"
"""The recovery agent that a new installation has: recovery by oneself works at once."""

KEY_SIZES = {
    AuthorityKey.RSA_2048: (KeyAlgorithm.RSA, 2048),
    AuthorityKey.RSA_3072: (KeyAlgorithm.RSA, 3072),
    AuthorityKey.RSA_4096: (KeyAlgorithm.RSA, 4096),
    AuthorityKey.P256: (KeyAlgorithm.ECDSA_P256, 256),
    AuthorityKey.P384: (KeyAlgorithm.ECDSA_P384, 384),
}

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An open installation.

    Shape: *prepare_tls* returns the server's TLS certificate, after it replaced one that is missing, near its end or of other
    names; *ca_file* is the root's certificate in PEM, for clients
    to trust; *checkpoints* is the file that proves how far the history goes; *jobs* are what a worker does; *make_agent* gives
    an online recovery agent of a name, to be added.
    """

    data: Path
    settings: Settings
    world: World
    hasher: PasswordHasher
    sign_ins: tuple[SignIn, ...]
    turns: Turns
    sealing_key: SealingKey
    checkpoints: CheckpointFile
    make_agent: Callable[[str], NewAgent]
    prepare_tls: Callable[[], TlsFiles]
    keyring: Keyring
    sealed_files: tuple[SealedFile, ...]
    ca_file: Path
    jobs: tuple[Job, ...]


# -- making one --------------------------------------------------------------------------------------------------------


def create_installation(data: Path, *, tell: Tell = lambda _: None) -> None:
    """Make everything that `open_installation` wants in the folder *data*; *tell* is given what is being done.

    What is there already, from an administrator or from a run that was broken off, is used: settings and passphrase. Keys and
    authorities are stored together in one transaction, which is what makes an installation one.

    Errors: InstallationExists; faults of the settings file; SecretUnavailable; StoreUnavailable.
    """
    make_private_folder(data)
    if not (data / SETTINGS_FILE).exists():
        tell("Writing the settings")
        replace_file(data / SETTINGS_FILE, encode_settings_template().encode())
    settings = load_settings(data / SETTINGS_FILE)
    passphrase = find_or_make_secret(settings.keys.passphrase, data)
    url = find_database_url(settings, data)
    tell("Preparing the database")
    migrate(url)
    store = open_store(url)
    try:
        with store.reading() as session:
            if session.keys.list_authorities():
                raise InstallationExists(str(data))
        _create_authorities(store, passphrase, settings, tell)
    finally:
        store.close()
    tell("Issuing the server's TLS certificate")
    with open_installation(data) as installation:
        installation.prepare_tls()
        tell("Making the recovery agent")
        add_agent(installation.make_agent(ONLINE_AGENT), operator=PROGRAM, world=installation.world)


def _create_authorities(store: SqlStore, passphrase: str, settings: Settings, tell: Tell) -> None:
    now = SystemClock().now()
    version = Keyring(lambda: passphrase, lambda _: None).make_version(None, now)
    kek = Keyring(lambda: passphrase, lambda _: version)
    keys = {}
    for name, kind in (
        (ROOT, settings.authority.root_key),
        (ISSUING, settings.authority.issuing_key),
        (HISTORY, AuthorityKey.P256),
    ):
        tell(f"Generating the {name} key ({kind})")
        algorithm, bits = KEY_SIZES[kind]
        keys[name] = generate_key(name, algorithm, bits, kek=kek, now=now)
    marks_key, marker = make_marks_key(0, kek, now)
    store.mark_with(marker)
    root, issuing = _certify(keys, kek, settings, now)
    with store.writing() as session:
        # Another init that ran at the same time may have been first: it is asked again, under the lock.
        if session.keys.list_authorities():
            raise InstallationExists("the database")
        session.keys.add_version(version)
        for key in (*keys.values(), marks_key):
            session.keys.save_key(key)
        session.keys.save_authority(root)
        session.keys.save_authority(issuing)
        told = tell_of_program(EventType.SERVICE_INITIALIZED, now, authority=issuing.config_name)
        session.history.append([told, *map(tell_created, keys.values()), tell_marks_key_made(marks_key)])


def _certify(
    keys: dict[str, SealedKey], kek: Keyring, settings: Settings, now: datetime
) -> tuple[AuthorityRecord, AuthorityRecord]:
    root_key, issuing_key = open_key(keys[ROOT], kek), open_key(keys[ISSUING], kek)
    root = create_root(_plan_authority(ROOT, "Root CA", settings), root_key, serial=_make_serial(), now=now)
    issuing = create_issuing(
        _plan_authority(ISSUING, "Issuing CA", settings),
        issuing_key,
        above=root,
        above_key=root_key,
        serial=_make_serial(),
        now=now,
        **_publication_urls(settings, ROOT),
    )
    return root, issuing


def _plan_authority(name: str, title: str, settings: Settings) -> AuthorityPlan:
    full_name = f"{settings.authority.name} {title}"
    config_name = f"{settings.authority.host}\\{full_name}"
    return AuthorityPlan(name=name, config_name=config_name, subject=f"CN={escape_name_value(full_name)}")


# -- opening one -------------------------------------------------------------------------------------------------------


@contextmanager
def open_installation(data: Path) -> Iterator[Installation]:
    """Return the installation in the folder *data*, ready to serve; leaving the block closes it.

    Errors: InstallationMissing; faults of the settings file; SecretUnavailable; StoreUnavailable; KeyUnavailable.
    """
    settings = find_settings(data)
    url = find_database_url(settings, data)
    turns = SingleTurn() if url.startswith("sqlite") else NoTurns()
    kek = make_keyring(data, lambda: store)
    store = open_store(url, turns, kek, make_notifier(settings, SystemEntropy()))
    try:
        keep_keys(store, kek)
        yield _assemble(data, settings, kek, store, turns)
    finally:
        store.close()


def _assemble(data: Path, settings: Settings, kek: Keyring, store: SqlStore, turns: SingleTurn | NoTurns) -> Installation:
    clock, entropy, hasher = SystemClock(), SystemEntropy(), Argon2Hasher()
    records, sealed = _load_authorities(store, data)
    issuer = describe_issuer(records, **_publication_urls(settings, ISSUING))
    issuing_key = open_key(sealed[ISSUING], kek)
    workshop, safe = ThreadCrew(turns, os.cpu_count() or 1), SoftwareKeySafe(kek)
    checkpoints = CheckpointFile(data / settings.history.checkpoint_file)
    world = World(
        store=store,
        authority=EmbeddedAuthority(issuer, issuing_key),
        clock=clock,
        entropy=entropy,
        workshop=workshop,
        key_maker=make_key_maker(settings, store, safe),
        safe=safe,
        card_keys=SoftwareCardKeys(kek, entropy),
        patterns=Re2Patterns(),
        pfx=PfxRules(iterations=settings.pfx.iterations, minimum_password_characters=settings.pfx.minimum_password_characters),
        allows_combined_roles=settings.access.allow_combined_roles,
        checkpoints=(checkpoints, CheckpointWebhook(posted)) if (posted := settings.history.checkpoint_url) else (checkpoints,),
        sends_mail=bool(settings.mail.host),
    )
    sealing_key = HistorySealingKey(open_key(sealed[HISTORY], kek))
    return Installation(
        data=data,
        settings=settings,
        world=world,
        hasher=hasher,
        sign_ins=(BasicSignIn(store, hasher, clock, entropy, remember=settings.sign_in.remember),),
        turns=turns,
        sealing_key=sealing_key,
        checkpoints=checkpoints,
        make_agent=partial(_make_agent, kek=kek, issuing_key=issuing_key, world=world),
        prepare_tls=partial(_keep_tls_current, data, settings, kek, issuing_key, world),
        keyring=kek,
        sealed_files=(TlsFolder(data / TLS_FOLDER, kek),),
        ca_file=_keep_root_certificate(data, issuer),
        jobs=_list_jobs(settings, world, sealing_key, data),
    )


def _list_jobs(settings: Settings, world: World, sealing_key: SealingKey, data: Path) -> tuple[Job, ...]:
    own = list_jobs(
        world,
        sealing_key=sealing_key,
        sealing_interval=settings.history.sealing_interval,
        interval=settings.worker.interval,
        stale_after=settings.worker.stale_after,
    )
    return (*own, make_pool_job(settings, world), *list_outbox_jobs(settings, world, data, partial(read_secret, data=data)))


def _load_authorities(store: SqlStore, data: Path) -> tuple[tuple[AuthorityRecord, ...], dict[str, SealedKey]]:
    """Return the issuing authority and those above it, and the keys that serving needs."""
    with store.reading() as session:
        records = {each.name: each for each in session.keys.list_authorities()}
        sealed = {name: session.keys.find_key(name) for name in (ISSUING, HISTORY)}
    if ROOT not in records or ISSUING not in records:
        raise InstallationMissing(str(data))
    missing = [name for name, key in sealed.items() if key is None]
    if missing:
        raise KeyUnavailable(missing[0])
    return (records[ISSUING], records[ROOT]), {name: key for name, key in sealed.items() if key is not None}


def _make_agent(name: str, *, kek: Keyring, issuing_key: SoftwareKey, world: World) -> NewAgent:
    key_name, now = f"agent/{name}", world.clock.now()
    sealed = generate_key(key_name, *KEY_SIZES[AuthorityKey.P256], kek=kek, now=now)
    public_key = open_key(sealed, kek).public_key
    certificate = issue_agent_certificate(name, public_key, world.authority.issuer, issuing_key, serial=_make_serial(), now=now)
    return NewAgent(RecoveryAgent(name=name, certificate=certificate, key_name=key_name, added=now), sealed)


def _keep_tls_current(data: Path, settings: Settings, kek: Keyring, issuing_key: SoftwareKey, world: World) -> TlsFiles:
    folder, server, issuer = TlsFolder(data / TLS_FOLDER, kek), settings.server, world.authority.issuer
    now = world.clock.now()
    fault = folder.find_fault(server.tls_names, issuer.chain[0], now=now, renew_before=server.tls_renew_before)
    if fault is not None:
        serial = _make_serial()
        folder.replace(
            lambda password: issue_server_identity(
                server.tls_names, issuer, issuing_key, serial=serial, now=now, password=password
            ),
            secrets.token_urlsafe(SECRET_OCTETS),
        )
        with world.store.writing() as session:
            told = tell_of_program(EventType.SERVER_CERTIFICATE_ISSUED, now, serial=format_serial_number(serial), reason=fault)
            session.history.append([told])
    return folder.open()


def _keep_root_certificate(data: Path, issuer: Issuer) -> Path:
    path = data / ROOT_CERTIFICATE_FILE
    content = x509.load_der_x509_certificate(issuer.chain[-1]).public_bytes(Encoding.PEM)
    if not path.is_file() or path.read_bytes() != content:
        replace_file(path, content, mode=PUBLIC_MODE)
    return path


# -- what both need ----------------------------------------------------------------------------------------------------


def _publication_urls(settings: Settings, authority: str) -> dict[str, tuple[str, ...]]:
    """Return where an authority's revocation list and certificate are found."""
    base = settings.server.public_url.rstrip("/")
    return {"crl_urls": (f"{base}/crl/{authority}.crl",), "certificate_urls": (f"{base}/ca/{authority}.crt",)}


def _make_serial() -> SerialNumber:
    return SerialNumber(SystemEntropy().bits(SERIAL_NUMBER_BITS))
