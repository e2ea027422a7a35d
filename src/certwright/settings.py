"""One frozen tree of settings; the manual page is printed from it.

The file is ``certwright.toml`` in the data folder. Nothing in it is secret: where a secret is needed, the file says where it
is kept.
"""

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_args

from certwright.access_settings import AccessSettings, PasswordSettings, SignInSettings
from certwright.domain.errors import DefinitionInvalid, MalformedValue, Refused, check_none_broken
from certwright.formats.text_files import parse_text
from certwright.issuance_settings import IssuanceSettings
from certwright.outbox_settings import MailSettings, OutboxSettings, WebhookSettings
from certwright.server_settings import ServerSettings
from certwright.setting_values import (
    Kind,
    SecretReference,
    SettingsThatDepend,
    a_web_address_or_nothing,
    between,
    encode_value,
    find_kind,
    no_secret_in_url,
    not_empty,
    spanning,
)
from certwright.setting_values import setting as _setting

SETTINGS_FILE = "certwright.toml"
NO_SECRET_EXAMPLE = '"file:NAME"'
"""What the template shows for a secret that is not there by default."""


class AuthorityKey(StrEnum):
    """Keys that a certification authority can have."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    P256 = "p-256"
    P384 = "p-384"


class LogLevel(StrEnum):
    """From which weight on a line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogForm(StrEnum):
    """How a line is written; *auto* is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


Group = TypeVar("Group")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Where everything is stored."""

    url: str = _setting(
        "",
        "The database; empty for SQLite in the data folder, or postgresql://user@host:5432/name.",
        no_secret_in_url,
    )
    password: SecretReference | None = _setting(None, "Where the password of the database user is kept.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """How private keys are protected at rest."""

    passphrase: SecretReference = _setting(
        SecretReference("file", "passphrase"),
        "Where the passphrase is kept that wraps the key-encryption key.",
    )
    pool_rsa_2048: int = _setting(
        0,
        "How many RSA keys with 2048 bits are made ahead, in idle time, for certificate templates whose keys the server makes.",
        between(0, 10_000),
    )
    pool_rsa_3072: int = _setting(0, "The same for 3072 bits.", between(0, 10_000))
    pool_rsa_4096: int = _setting(0, "The same for 4096 bits.", between(0, 10_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class PfxSettings:
    """The PFX files in which keys that the server made are delivered."""

    iterations: int = _setting(
        50_000,
        "How often the password is hashed for each key of a file: PBKDF2 for its contents, PKCS#12's own for its seal.",
        between(2_000, 10_000_000),
    )
    minimum_password_characters: int = _setting(8, "How many characters a pfxpassword has at least.", between(1, 128))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoritySettings:
    """The embedded certification authorities. Read by ``init`` only: what exists is never changed by a setting."""

    name: str = _setting("Certwright", "The first words of the names of both authorities.", not_empty)
    host: str = _setting("localhost", "The host part of the name under which the REST API shows the issuing CA.", not_empty)
    root_key: AuthorityKey = _setting(AuthorityKey.RSA_3072, "The key of the root CA.")
    issuing_key: AuthorityKey = _setting(AuthorityKey.RSA_2048, "The key of the issuing CA: it signs twice an enrollment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """The event history."""

    sealing_interval: timedelta = _setting(
        timedelta(seconds=1),
        "How often new events are chained and signed.",
        spanning(timedelta(seconds=1), timedelta(hours=1)),
    )
    checkpoint_file: str = _setting(
        "history.checkpoints",
        "The file outside of the database to which a signed line is appended after each sealing; a path, from the data folder.",
        not_empty,
    )
    checkpoint_url: str = _setting(
        "",
        "Where each of these lines is posted, too, on another machine; empty for nowhere.",
        a_web_address_or_nothing,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What happens by itself."""

    enabled: bool = _setting(
        True,
        "Let ``certwright serve`` do the work that is due; where false, ``certwright work`` has to run somewhere.",
    )
    interval: timedelta = _setting(
        timedelta(minutes=1),
        "How often each job looks for what is due; sealing has an interval of its own, history.sealing_interval.",
        spanning(timedelta(seconds=1), timedelta(days=1)),
    )
    stale_after: timedelta = _setting(
        timedelta(days=90),
        "How long an open request may rest without anybody doing anything with it, before it is canceled and what it has "
        "issued is revoked; 0 s lets it rest for ever.",
        spanning(timedelta(), timedelta(days=3650)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is written to standard error."""

    level: LogLevel = _setting(LogLevel.INFO, "From which weight on lines are written.")
    form: LogForm = _setting(LogForm.AUTO, "How lines are written; auto is text on a terminal, else JSON.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of an installation."""

    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    keys: KeySettings = KeySettings()
    pfx: PfxSettings = PfxSettings()
    authority: AuthoritySettings = AuthoritySettings()
    sign_in: SignInSettings = SignInSettings()
    passwords: PasswordSettings = PasswordSettings()
    access: AccessSettings = AccessSettings()
    issuance: IssuanceSettings = IssuanceSettings()
    history: HistorySettings = HistorySettings()
    worker: WorkerSettings = WorkerSettings()
    outbox: OutboxSettings = OutboxSettings()
    mail: MailSettings = MailSettings()
    webhooks: tuple[WebhookSettings, ...] = ()
    log: LogSettings = LogSettings()

    def list_contradictions(self) -> Iterator[tuple[str, str]]:
        """Return which setting does not fit the others, and why."""
        names = [each.name for each in self.webhooks]
        if len(set(names)) < len(names):
            yield "webhooks", "two of them have one name"


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """What the manual says about one setting. Shape: *path* is dotted; *default* is as in the file, empty for none."""

    path: str
    kind: str
    default: str
    meaning: str


def load_settings(path: Path) -> Settings:
    """Return the settings in the file. Errors: as `parse_settings`; OSError when the file cannot be read."""
    return parse_settings(parse_text(path.read_bytes(), str(path), "TOML"))


def parse_settings(text: str) -> Settings:
    """Return the settings that the TOML *text* makes, defaults where it is silent.

    Errors: DefinitionInvalid for the one fault, RulesBroken for several: unknown keys, wrong types, missing units, secrets in
            clear, values out of range. Each names its dotted path.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        raise DefinitionInvalid(SETTINGS_FILE, f"this is no TOML: {fault}") from fault
    faults: list[Refused] = []
    settings = _read_group(Settings, table, "", faults) or Settings()
    check_none_broken(faults)
    return settings


def describe_settings() -> Iterator[SettingDescription]:
    """Return a description of each setting, in the order of the tree."""
    for group in dataclasses.fields(Settings):
        for field in dataclasses.fields(_find_listed(group) or group.type):  # type: ignore[arg-type]
            kind, default = _get_kind(field), "" if field.default is dataclasses.MISSING else encode_value(field.default)
            yield SettingDescription(f"{group.name}.{field.name}", kind.title, default, field.metadata["meaning"])


def describe_group(name: str) -> tuple[str, str]:
    """Return the header of the group of settings *name* in the file, and the sentence about it."""
    (group,) = (each for each in dataclasses.fields(Settings) if each.name == name)
    return _write_header(group), str((_find_listed(group) or group.type).__doc__)


def list_effective(settings: Settings) -> dict[str, str]:
    """Return each setting by its dotted path, as it would stand in the file; of a secret, where it is kept.

    Shape: groups that there are several of are counted from 1, as in ``webhooks.1.url``.
    """
    groups = ((group.name, getattr(settings, group.name)) for group in dataclasses.fields(settings))
    numbered = (
        pair
        for name, found in groups
        for pair in (
            [(f"{name}.{at}", each) for at, each in enumerate(found, 1)] if isinstance(found, tuple) else [(name, found)]
        )
    )
    return {
        f"{name}.{field.name}": encode_value(getattr(values, field.name))
        for name, values in numbered
        for field in dataclasses.fields(values)
    }


def encode_settings_template() -> str:
    """Return a settings file that says nothing yet: every setting is there with its meaning and default, commented out."""
    lines = ["# Settings of this Certwright installation. What is commented out has the value shown.", ""]
    for group in dataclasses.fields(Settings):
        # Of a group that there can be several of, there is none at first: its lines are not only commented out, but an example.
        mark = "" if _find_listed(group) is None else "#   "
        lines += [f"{mark}{_write_header(group)}"]
        for each in describe_settings():
            name = each.path.removeprefix(f"{group.name}.")
            if name != each.path:
                lines += [f"{mark}# {each.meaning}", f"{mark}# {name} = {each.default or _find_example(each)}"]
        lines += [""]
    return "\n".join(lines)


def _find_example(described: SettingDescription) -> str:
    """Return what the template shows for a setting without a default."""
    return NO_SECRET_EXAMPLE if "file:NAME" in described.kind else '""'


def _read_group(group: type[Group], table: Mapping[str, Any], path: str, faults: list[Refused]) -> Group | None:
    """Return the group, or None after a fault was noted without which there can be none."""
    fields = {field.name: field for field in dataclasses.fields(group)}  # type: ignore[arg-type]
    faults += [DefinitionInvalid(f"{path}{name}", "there is no such setting") for name in table if name not in fields]
    before = len(faults)
    missing = [name for name, field in fields.items() if name not in table and not _has_default(field)]
    faults += [DefinitionInvalid(f"{path}{name}", "it has to be given") for name in missing]
    given = {name: _read(field, table[name], path + name, faults) for name, field in fields.items() if name in table}
    if missing or not all(_has_default(fields[name]) for name, value in given.items() if value is None):
        return None
    made = group(**{name: value for name, value in given.items() if value is not None})
    if isinstance(made, SettingsThatDepend) and len(faults) == before:
        faults += [DefinitionInvalid(f"{path}{name}", detail) for name, detail in made.list_contradictions()]
    return made


def _read_list(group: type[Group], value: object, path: str, faults: list[Refused]) -> tuple[Group, ...] | None:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        faults.append(DefinitionInvalid(path, f"tables under [[{path}]] are wanted"))
        return None
    made = [_read_group(group, each, f"{path}[{number}].", faults) for number, each in enumerate(value)]
    return tuple(each for each in made if each is not None)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING


def _find_listed(field: dataclasses.Field[Any]) -> type[Any] | None:
    """Return the group that the file can have any number of, or None for another kind of field."""
    listed = get_args(field.type)[:1]
    return listed[0] if listed and dataclasses.is_dataclass(listed[0]) and find_kind(field.type) is None else None  # type: ignore[return-value]


def _write_header(group: dataclasses.Field[Any]) -> str:
    return f"[{group.name}]" if _find_listed(group) is None else f"[[{group.name}]]"


def _read(field: dataclasses.Field[Any], value: object, path: str, faults: list[Refused]) -> object | None:
    """Return the value as the tree holds it, or None after a fault was noted."""
    listed = _find_listed(field)
    if listed is not None:
        return _read_list(listed, value, path, faults)
    if find_kind(field.type) is None:
        if isinstance(value, dict):
            return _read_group(field.type, value, f"{path}.", faults)  # type: ignore[arg-type]
        faults.append(DefinitionInvalid(path, "a table is wanted"))
        return None
    try:
        parsed = _get_kind(field).parse(value, path)
    except MalformedValue as malformed:
        faults.append(DefinitionInvalid(path, malformed.detail))
        return None
    fault = field.metadata["check"](parsed)
    if fault is not None:
        faults.append(DefinitionInvalid(path, fault))
    return parsed


def _get_kind(field: dataclasses.Field[Any]) -> Kind:
    """Errors: TypeError, a bug, for a setting of a kind that nothing reads."""
    kind = find_kind(field.type)
    if kind is None:
        raise TypeError(f"settings of the type {field.type} cannot be read")
    return kind
