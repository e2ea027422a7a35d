"""Settings about people: how they sign in, which passwords they may have, who may be what."""

from dataclasses import dataclass
from datetime import timedelta

from certwright.setting_values import between, spanning
from certwright.setting_values import setting as _setting


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """How people prove who they are."""

    remember: timedelta = _setting(
        timedelta(minutes=5),
        "How long a verified password is remembered; a changed password or right counts at once all the same.",
        spanning(timedelta(), timedelta(hours=1)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings:
    """Which new passwords accounts may be given; those that are set already stay. Long ones with blanks in them are taken."""

    minimum_characters: int = _setting(15, "How many characters a password has at least.", between(8, 128))
    refuse_names: bool = _setting(True, "Refuse what is made of the names of the account or of this service.")
    refuse_common: bool = _setting(True, "Refuse common passwords, repetitions and sequences.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Who may be what."""

    allow_combined_roles: bool = _setting(
        False,
        "Let one person audit, or operate the CA, and hold other roles, too; for sites with too few people. Each such pair is "
        "told at every change and at every start.",
    )
    open_requests: int = _setting(
        100,
        "How many requests for new profiles one person may have open for one target under one profile template.",
        between(1, 1_000_000),
    )
