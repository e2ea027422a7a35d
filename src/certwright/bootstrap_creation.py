"""How an installation is made, and how one of an older version is brought to this one.

Apart from `bootstrap`, because both need Alembic, and serving does not: it would be a tenth of its memory.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from certwright.adapters.authorities.hierarchy import AuthorityPlan, create_issuing, create_root
from certwright.adapters.clock import SystemClock
from certwright.adapters.files import make_private_folder, replace_file
from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.keys.software import generate_key, open_key
from certwright.adapters.secret_places import find_or_make_secret
from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.sql.tables import SCHEMA_VERSION
from certwright.application.manage_agents import add_agent
from certwright.bootstrap import KEY_SIZES, open_installation
from certwright.bootstrap_authorities import ROOT_CERTIFICATE_FILE, list_publication_urls
from certwright.bootstrap_database import find_database_url, find_settings
from certwright.bootstrap_keys import (
    HISTORY,
    ISSUING,
    ROOT,
    keep_keys,
    make_keyring,
    make_marks_key,
    make_row_marks_key,
    tell_marks_key_made,
)
from certwright.bootstrap_tls import make_serial
from certwright.domain.errors import InstallationExists
from certwright.domain.events import PROGRAM, EventType, tell_of_operator, tell_of_program
from certwright.domain.keys import AuthorityRecord, SealedKey, tell_created
from certwright.domain.rules.names import escape_name_value
from certwright.settings import SETTINGS_FILE, AuthorityKey, Settings, encode_settings_template, load_settings

ONLINE_AGENT = "online"
"""The recovery agent that a new installation has: recovery by oneself works at once."""

Tell = Callable[[str], None]


def create_installation(data: Path, *, purpose: str = "service", tell: Tell = lambda _: None) -> None:
    """Make everything that `open_installation` wants in the folder *data*; *tell* is given what is being done.

    Shape: *purpose* is written into the first event of the history, for commands that are for one kind of installation.

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
        _create_authorities(store, passphrase, settings, purpose, tell)
    finally:
        store.close()
    # One from an installation that was in this folder before.
    (data / ROOT_CERTIFICATE_FILE).unlink(missing_ok=True)
    tell("Issuing the server's TLS certificate")
    with open_installation(data) as installation:
        installation.tls.renew()
        tell("Making the recovery agent")
        add_agent(installation.make_agent(ONLINE_AGENT), operator=PROGRAM, world=installation.world)


def _create_authorities(store: SqlStore, passphrase: str, settings: Settings, purpose: str, tell: Tell) -> None:
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
    row_marks_key, row_key = make_row_marks_key(kek, now)
    store.mark_rows_with(row_key)
    root, issuing = _certify(keys, kek, settings, now)
    with store.writing() as session:
        # Another init that ran at the same time may have been first: it is asked again, under the lock.
        if session.keys.list_authorities():
            raise InstallationExists("the database")
        session.keys.add_version(version)
        marks_keys = (marks_key, row_marks_key)
        for key in (*keys.values(), *marks_keys):
            session.keys.save_key(key)
        session.keys.save_authority(root)
        session.keys.save_authority(issuing)
        told = tell_of_program(
            EventType.SERVICE_INITIALIZED,
            now,
            authority=issuing.config_name,
            purpose=purpose,
            root_sha256=sha256(root.certificate).hexdigest(),
            issuing_sha256=sha256(issuing.certificate).hexdigest(),
        )
        session.history.append([told, *map(tell_created, keys.values()), *map(tell_marks_key_made, marks_keys)])


def _certify(
    keys: dict[str, SealedKey], kek: Keyring, settings: Settings, now: datetime
) -> tuple[AuthorityRecord, AuthorityRecord]:
    root_key, issuing_key = open_key(keys[ROOT], kek), open_key(keys[ISSUING], kek)
    root = create_root(_plan_authority(ROOT, "Root CA", settings), root_key, serial=make_serial(), now=now)
    issuing = create_issuing(
        _plan_authority(ISSUING, "Issuing CA", settings),
        issuing_key,
        above=root,
        above_key=root_key,
        serial=make_serial(),
        now=now,
        **list_publication_urls(settings, ROOT),
    )
    return root, issuing


def _plan_authority(name: str, title: str, settings: Settings) -> AuthorityPlan:
    full_name = f"{settings.authority.name} {title}"
    config_name = f"{settings.authority.host}\\{full_name}"
    return AuthorityPlan(name=name, config_name=config_name, subject=f"CN={escape_name_value(full_name)}")


def migrate_installation(data: Path, *, operator: str) -> None:
    """Bring the database of the installation in the folder *data* to this program's version, from any older one.

    Errors: InstallationMissing; faults of the settings file; SecretUnavailable; StoreUnavailable; KeyUnavailable;
            KeyVersionUnavailable.
    """
    url = find_database_url(find_settings(data), data)
    migrate(url)
    store = open_store(url)
    try:
        keep_keys(store, make_keyring(data, lambda: store))
        with store.writing() as session:
            told = tell_of_operator(EventType.DATABASE_MIGRATED, operator, SystemClock().now(), version=str(SCHEMA_VERSION))
            session.history.append([told])
    finally:
        store.close()
