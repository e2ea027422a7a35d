"""Bootstrap's part about the database: where it is."""

from pathlib import Path

from certwright.adapters.secret_places import put_password_into
from certwright.domain.errors import InstallationMissing
from certwright.settings import SETTINGS_FILE, Settings, load_settings

DATABASE_FILE = "certwright.db"


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
