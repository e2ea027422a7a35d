"""Add and change one account or group: as a world file with nothing else would, with the same rules and the same events."""

from collections.abc import Mapping, Sequence

from certwright.application.known_identities import KnownIdentities
from certwright.application.load_world import LoadedWorld, store_definition
from certwright.application.trustees import find_sid, get_group, get_user
from certwright.application.world import World
from certwright.domain.errors import MalformedValue
from certwright.domain.ports import Session
from certwright.formats.definitions import parse_world
from certwright.formats.world_encoding import Table, encode_tables


def add_user(account: str, values: Table, *, operator: str, world: World) -> LoadedWorld:
    """Return what changed after the account was added.

    Shape: *account* is ``DOMAIN\\account``, or without a domain where all accounts have the same; *values* are keys of a table
    of world files: an identifier that is left out is made.
    Errors: MalformedValue for one that is there, or for want of a domain; as `load_world`.
    """
    with world.store.writing() as session:
        domain, _, name = account.rpartition("\\")
        domain = domain or _get_only_domain(session)
        if KnownIdentities(session, world).find_user(domain, name) is not None:
            raise MalformedValue("account", f"there is an account {account} already: certwright users edit changes it")
        return _store({"users": [{"account": name, "domain": domain, **values}]}, operator, session, world)


def edit_user(account: str, values: Table, *, operator: str, world: World) -> LoadedWorld:
    """Return what changed about the account. Errors: UserNotFound; as `load_world`."""
    with world.store.writing() as session:
        user = get_user(account, session)
        known = {"account": user.account_name, "domain": user.domain, "id": str(user.id)}
        return _store({"users": [{**known, **values}]}, operator, session, world)


def add_group(name: str, values: Table, *, operator: str, world: World) -> LoadedWorld:
    """Return what changed after the group was added. Errors: MalformedValue for a name that is taken; as `load_world`."""
    with world.store.writing() as session:
        _check_free(name, session)
        return _store({"groups": [{"name": name, **values}]}, operator, session, world)


def rename_group(name: str, new: str, *, operator: str, world: World) -> LoadedWorld:
    """Return what changed after the group got a new name; rights and policies mean it by its SID, and go on to hold.

    Errors: GroupNotFound; MalformedValue for a name that is taken.
    """
    with world.store.writing() as session:
        group = get_group(name, session)
        if new.casefold() != name.casefold():
            _check_free(new, session)
        return _store({"groups": [{"name": new, "id": str(group.id)}]}, operator, session, world)


def _check_free(name: str, session: Session) -> None:
    if find_sid(name, session) is not None:
        raise MalformedValue("name", f"there is an account or group {name} already")


def _get_only_domain(session: Session) -> str:
    domains = sorted({each.domain for each in session.directory.list_users()})
    if len(domains) != 1:
        raise MalformedValue("account", "write DOMAIN\\account: there is more than one domain, or none yet")
    return domains[0]


def _store(tables: Mapping[str, Sequence[Table]], operator: str, session: Session, world: World) -> LoadedWorld:
    text = encode_tables({"domain": {"name": ""}, **tables})
    definition = parse_world(text, "", KnownIdentities(session, world))
    return store_definition(definition, operator=operator, session=session, world=world)
