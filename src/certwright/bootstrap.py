"""The only place where adapters meet ports: how an installation is opened. `bootstrap_creation` says how it is made."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography import x509

from certwright.adapters.authorities.recovery_agents import issue_agent_certificate
from certwright.adapters.authorities.tls_folder import TlsFolder
from certwright.adapters.checkpoints.file import CheckpointFile
from certwright.adapters.checkpoints.webhook import CheckpointWebhook
from certwright.adapters.clock import SystemClock
from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.keys.card_keys import SoftwareCardKeys
from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.keys.software import SoftwareKey, SoftwareKeySafe, generate_key, open_key
from certwright.adapters.patterns import Re2Patterns
from certwright.adapters.secret_places import read_secret
from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.adapters.signin.basic import BasicSignIn
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.turns import NoTurns, SingleTurn, ThreadCrew
from certwright.application.due_work import Job
from certwright.application.jobs import list_jobs
from certwright.application.manage_agents import NewAgent
from certwright.application.world import World
from certwright.bootstrap_authorities import (
    ROOT_CERTIFICATE_FILE,
    make_authority,
    open_authorities,
)
from certwright.bootstrap_database import find_database_url, find_settings
from certwright.bootstrap_keys import HISTORY, ISSUING, keep_keys, make_keyring
from certwright.bootstrap_outbox import list_outbox_jobs, make_notifier
from certwright.bootstrap_pool import make_key_maker, make_pool_job
from certwright.bootstrap_tls import ServerTls, make_serial
from certwright.domain.archive import RecoveryAgent, list_current
from certwright.domain.health import OwnCertificate
from certwright.domain.history_ports import SealingKey
from certwright.domain.password_ports import PasswordHasher
from certwright.domain.pfx import PfxRules
from certwright.domain.ports import SignIn, Turns
from certwright.domain.ports_at_rest import SealedFile
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.rules.account_passwords import PasswordPolicy
from certwright.settings import AuthorityKey, Settings

TLS_FOLDER = "tls"
KEY_SIZES = {
    AuthorityKey.RSA_2048: (KeyAlgorithm.RSA, 2048),
    AuthorityKey.RSA_3072: (KeyAlgorithm.RSA, 3072),
    AuthorityKey.RSA_4096: (KeyAlgorithm.RSA, 4096),
    AuthorityKey.P256: (KeyAlgorithm.ECDSA_P256, 256),
    AuthorityKey.P384: (KeyAlgorithm.ECDSA_P384, 384),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An open installation.

    Shape: *tls* is the server's own TLS certificate; *ca_file* is the root's certificate in PEM, for clients to trust;
    *checkpoints* is the file that proves how far the history goes; *jobs* are what a worker does; *make_agent* gives an online
    recovery agent of a name, to be added; *list_certificates* returns those that it needs itself, but for TLS.
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
    tls: ServerTls
    list_certificates: Callable[[], tuple[OwnCertificate, ...]]
    keyring: Keyring
    sealed_files: tuple[SealedFile, ...]
    ca_file: Path
    jobs: tuple[Job, ...]


@contextmanager
def open_installation(data: Path, *, is_to_be_proven: bool = False) -> Iterator[Installation]:
    """Return the installation in the folder *data*, ready to serve; leaving the block closes it.

    Shape: *is_to_be_proven* opens one whose authorities were altered, too, for those who look what was.

    Errors: InstallationMissing; faults of the settings file; SecretUnavailable; StoreUnavailable; KeyUnavailable;
            StoredRowAltered for altered authorities; RootCertificateDiffers.
    """
    settings = find_settings(data)
    url = find_database_url(settings, data)
    turns = SingleTurn() if url.startswith("sqlite") else NoTurns()
    kek = make_keyring(data, lambda: store)
    store = open_store(url, turns, kek, make_notifier(settings, SystemEntropy()))
    try:
        keep_keys(store, kek)
        yield _assemble(data, settings, kek, store, turns, is_to_be_proven=is_to_be_proven)
    finally:
        store.close()


def _assemble(
    data: Path, settings: Settings, kek: Keyring, store: SqlStore, turns: SingleTurn | NoTurns, *, is_to_be_proven: bool
) -> Installation:
    clock, entropy, hasher = SystemClock(), SystemEntropy(), Argon2Hasher()
    records, sealed = open_authorities(store, data, kek, is_to_be_proven=is_to_be_proven)
    issuing_key = open_key(sealed[ISSUING], kek)
    workshop, safe = ThreadCrew(turns, os.cpu_count() or 1), SoftwareKeySafe(kek)
    checkpoints = CheckpointFile(data / settings.history.checkpoint_file)
    basic = BasicSignIn(store, hasher, clock, entropy, remember=settings.sign_in.remember)
    world = World(
        store=store,
        authority=make_authority(records, issuing_key, settings),
        clock=clock,
        entropy=entropy,
        workshop=workshop,
        key_maker=make_key_maker(settings, store, safe),
        safe=safe,
        card_keys=SoftwareCardKeys(kek, entropy),
        patterns=Re2Patterns(),
        own_passwords=basic,
        passwords=PasswordPolicy(
            minimum_characters=settings.passwords.minimum_characters,
            refuses_names=settings.passwords.refuse_names,
            refuses_common=settings.passwords.refuse_common,
        ),
        pfx=PfxRules(iterations=settings.pfx.iterations, minimum_password_characters=settings.pfx.minimum_password_characters),
        allows_combined_roles=settings.access.allow_combined_roles,
        open_requests_limit=settings.access.open_requests,
        checkpoints=(checkpoints, CheckpointWebhook(posted)) if (posted := settings.history.checkpoint_url) else (checkpoints,),
        sends_mail=bool(settings.mail.host),
    )
    sealing_key, tls_folder = HistorySealingKey(open_key(sealed[HISTORY], kek)), TlsFolder(data / TLS_FOLDER, kek)
    return Installation(
        data=data,
        settings=settings,
        world=world,
        hasher=hasher,
        sign_ins=(basic,),
        turns=turns,
        sealing_key=sealing_key,
        checkpoints=checkpoints,
        make_agent=partial(_make_agent, kek=kek, issuing_key=issuing_key, world=world),
        tls=ServerTls(tls_folder, settings.server, issuing_key, world),
        list_certificates=partial(_list_certificates, world),
        keyring=kek,
        sealed_files=(tls_folder,),
        ca_file=data / ROOT_CERTIFICATE_FILE,
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


def _make_agent(name: str, *, kek: Keyring, issuing_key: SoftwareKey, world: World) -> NewAgent:
    key_name, now = f"agent/{name}", world.clock.now()
    sealed = generate_key(key_name, *KEY_SIZES[AuthorityKey.P256], kek=kek, now=now)
    public_key = open_key(sealed, kek).public_key
    certificate = issue_agent_certificate(name, public_key, world.authority.issuer, issuing_key, serial=make_serial(), now=now)
    return NewAgent(RecoveryAgent(name=name, certificate=certificate, key_name=key_name, added=now), sealed)


def _list_certificates(world: World) -> tuple[OwnCertificate, ...]:
    """Return the authorities' certificates and those of recovery agents in use."""
    issuing, *above = world.authority.issuer.chain
    with world.store.reading() as session:
        agents = list_current(session.archive.list_agents())
    named = [("the issuing authority", issuing), *(("an authority above it", each) for each in above)]
    named += [(f"the recovery agent {each.name}", each.certificate) for each in agents]
    return tuple(OwnCertificate(name, x509.load_der_x509_certificate(each).not_valid_after_utc) for name, each in named)
