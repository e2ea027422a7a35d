"""Bootstrap's part about the database: where it is, and how one of an older version is brought to this one."""

from pathlib import Path

from certwright.adapters.clock import SystemClock
from certwright.adapters.secret_places import put_password_into
from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import open_store
from certwright.adapters.sql.tables import SCHEMA_VERSION
from certwright.bootstrap_keys import keep_keys, make_keyring
from certwright.domain.errors import InstallationMissing
from certwright.domain.events import EventType, tell_of_operator
from certwright.settings import SETTINGS_FILE, Settings, load_settings

DATABASE_FILE = "certwright.db"


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


def find_settings(data: Path) -> Settings:
    """Return the settings of an installation that is there. Errors: InstallationMissing; faults of the settings file."""
    if not (data / SETTINGS_FILE).is_file():
        raise InstallationMissing(str(data))
    settings = load_settings(data / SETTINGS_FILE)
    if not settings.database.url and not (data / DATABASE_FILE).is_file():
        raise InstallationMissing(str(data))
    return settings


def find_database_url(settings: Settings, data: Path) -> str:
    """Return the URL with its password, for the driver only: it is never shown. Errors: SecretUnavailable."""
    if not settings.database.url:
        return f"sqlite:///{(data / DATABASE_FILE).resolve()}"
    return put_password_into(settings.database.url, settings.database.password, data)
