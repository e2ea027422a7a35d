"""The places in which secrets are kept: files, variables, credentials of systemd."""

import os
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from certwright.adapters.files import find_exposure, replace_file
from certwright.domain.errors import SecretUnavailable
from certwright.setting_values import SecretReference

SECRET_OCTETS = 32
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""Where systemd puts the credentials of a unit. Source: systemd.exec(5), LoadCredential=."""


def read_secret(reference: SecretReference, data: Path) -> str:
    """Return the secret that *reference* names. Errors: SecretUnavailable."""
    if reference.kind == "env":
        value = os.environ.get(reference.name)
        if not value:
            raise SecretUnavailable(str(reference), "the environment variable is not set")
        return value
    path = _find_secret_file(reference, data)
    try:
        # systemd gives a credential to the account of the unit by an access control list.
        exposure = find_exposure(path, is_guarded_by_acl=reference.kind == "credential")
        if exposure is not None:
            raise SecretUnavailable(str(reference), exposure)
        value = path.read_text("utf-8").strip()
    except OSError as error:
        raise SecretUnavailable(str(reference), f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SecretUnavailable(str(reference), f"{path}, line {line}: it is not text in UTF-8; save it as UTF-8") from error
    if not value:
        raise SecretUnavailable(str(reference), f"{path} is empty")
    return value


def find_or_make_secret(reference: SecretReference, data: Path) -> str:
    """Return the secret, a new one where *reference* names a file that is not there. Errors: SecretUnavailable."""
    path = data / reference.name
    if reference.kind == "file" and not path.exists():
        replace_file(path, secrets.token_urlsafe(SECRET_OCTETS).encode() + b"\n")
    return read_secret(reference, data)


def put_password_into(url: str, reference: SecretReference | None, data: Path) -> str:
    """Return *url* with the password that *reference* names, as a driver wants it. Errors: SecretUnavailable."""
    if reference is None:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(read_secret(reference, data), safe='')}@{host}"))


def _find_secret_file(reference: SecretReference, data: Path) -> Path:
    if reference.kind == "file":
        return data / reference.name
    folder = os.environ.get(CREDENTIALS_VARIABLE)
    if not folder:
        raise SecretUnavailable(str(reference), f"{CREDENTIALS_VARIABLE} is not set: systemd sets it for a unit that loads one")
    return Path(folder) / reference.name
