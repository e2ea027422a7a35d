"""Whom the names mean that administrators write: accounts, groups, everyone; and what to write for whom."""

from collections.abc import Callable

from certwright.domain.account_names import find_named
from certwright.domain.errors import GroupNotFound, UserNotFound
from certwright.domain.identities import EVERYONE, GroupName, Sid, User
from certwright.domain.ports import Session


def find_sid(name: str, session: Session) -> Sid | None:
    """Return whom *name* means, in any case: everyone, a group, an account with or without its domain; None for nobody."""
    group = _find_group_sid(name, session)
    if group is not None:
        return group
    found = find_named(name, session.directory)
    return None if found is None else found.user.sid


def make_find_sid(session: Session) -> Callable[[str], Sid | None]:
    """Return `find_sid` for many names: the groups are read once."""
    groups = {each.name.casefold(): each.sid for each in session.directory.list_groups()} | {"everyone": EVERYONE}

    def find(name: str) -> Sid | None:
        group = groups.get(name.casefold())
        found = None if group is not None else find_named(name, session.directory)
        return group if found is None else found.user.sid

    return find


def list_known_names(session: Session) -> dict[Sid, str]:
    """Return what people call each SID of the directory: ``DOMAIN\\account``, or the group's name."""
    users = {each.sid: each.nt4_name for each in session.directory.list_users()}
    return users | {each.sid: each.name for each in session.directory.list_groups()}


def list_telling_names(session: Session) -> dict[Sid, str]:
    """Return `list_known_names` without those that `find_sid` would take for somebody else."""
    find = make_find_sid(session)
    return {sid: name for sid, name in list_known_names(session).items() if find(name) == sid}


def get_sid(name: str, session: Session) -> Sid:
    """Return whom *name* means. Errors: UserNotFound."""
    found = find_sid(name, session)
    if found is None:
        raise UserNotFound(name)
    return found


def get_group(name: str, session: Session) -> GroupName:
    """Return the group of that name, in any case. Errors: GroupNotFound."""
    found = session.directory.find_group(name)
    if found is None:
        raise GroupNotFound(name)
    return found


def get_user(account: str, session: Session) -> User:
    """Return whom *account* means. Errors: UserNotFound."""
    found = find_named(account, session.directory)
    if found is None:
        raise UserNotFound(account)
    return found.user


def _find_group_sid(name: str, session: Session) -> Sid | None:
    if name.casefold() == "everyone":
        return EVERYONE
    group = session.directory.find_group(name)
    return None if group is None else group.sid
