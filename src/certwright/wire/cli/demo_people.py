"""The people of the demo: loaded and given a password once; whatever was changed afterwards is kept."""

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from certwright.application.load_world import load_world
from certwright.application.set_password import set_password
from certwright.bootstrap import Installation
from certwright.domain.account_names import find_named
from certwright.domain.counts import count_of
from certwright.formats.definitions import WorldDefinition
from certwright.wire.cli.console import show_progress
from certwright.wire.cli.definition_files import DEMO
from certwright.wire.cli.load import read_world_file
from certwright.wire.cli.operators import find_operator

PASSWORD_OCTETS = 12
HASHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """Shape: *accounts* are those that are there; *password* was given to those in *with_new_password* just now."""

    accounts: tuple[str, ...]
    with_new_password: tuple[str, ...]
    password: str


def prepare_people(installation: Installation, given: str | None) -> DemoPeople:
    """Return the accounts of the demo.

    Where nobody is there yet, the demo world is loaded. Accounts that have no password get *given*, or a random one; nothing
    else is changed.
    """
    definition = read_world_file(DEMO)
    with show_progress("Preparing the demo") as tell:
        if not _has_people(installation):
            tell("Loading people, rights and templates")
            load_world(definition, DEMO, operator=find_operator(), world=installation.world)
        accounts, without = _list_accounts(definition, installation)
        password = given or secrets.token_urlsafe(PASSWORD_OCTETS)
        if without:
            tell(f"Setting {count_of(len(without), 'password')}")
            _set_passwords(without, password, installation)
    return DemoPeople(accounts, without, password)


def _has_people(installation: Installation) -> bool:
    with installation.world.store.reading() as session:
        return bool(session.directory.list_users())


def _list_accounts(definition: WorldDefinition, installation: Installation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the accounts of the demo that are there, and which of them have no password."""
    accounts, without = [], []
    with installation.world.store.reading() as session:
        for each in definition.users:
            found = find_named(each.nt4_name, session.directory)
            if found is not None:
                accounts.append(each.account_name)
                if session.directory.find_password_hash(found.user.id) is None:
                    without.append(each.account_name)
    return tuple(accounts), tuple(without)


def _set_passwords(accounts: Sequence[str], password: str, installation: Installation) -> None:
    with ThreadPoolExecutor(HASHES_AT_ONCE) as threads:
        # Each account has a hash of its own, with a salt of its own; the threads share the time that takes.
        for done in [threads.submit(_set_password, each, password, installation) for each in accounts]:
            done.result()


def _set_password(account: str, password: str, installation: Installation) -> None:
    set_password(account, password, operator=find_operator(), world=installation.world, hasher=installation.hasher)
