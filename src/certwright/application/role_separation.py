"""Auditors and CA operators hold no other role: looked at whenever rights, groups or templates change."""

from collections.abc import Iterable

from certwright.application.world import World
from certwright.domain.errors import RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.grants import ObjectKind
from certwright.domain.identities import EVERYONE, Principal, Sid
from certwright.domain.ports import Session
from certwright.domain.roles import list_apart_trustees, list_combined_roles, list_role_holdings


def separate_roles(session: Session, *, operator: str, world: World) -> tuple[RolesCombined, ...]:
    """Return which roles people combine that are kept apart: nothing, unless the installation's settings allow it.

    Where they do, each pair goes into the history at every change.

    Errors: RolesCombined, RulesBroken with all of them, so that the change is not stored.
    """
    on_service = session.directory.list_grants_on(ObjectKind.SERVICE, "")
    people = _list_people(list_apart_trustees(on_service), session)
    # The rights of others do not matter: there may be very many.
    of_people = session.directory.list_grants_of(sid for each in people for sid in each.sids)
    holdings = list_role_holdings(dict.fromkeys((*on_service, *of_people)), session.templates.list_newest())
    names = session.directory.name_sids(each.trustee for each in holdings) if people else {}
    combined = list_combined_roles(people, holdings, names)
    if not world.allows_combined_roles:
        check_none_broken([*combined])
    now = world.clock.now()
    session.history.append([tell_of_operator(EventType.ROLES_COMBINED, operator, now, detail=each.text) for each in combined])
    return tuple(combined)


def _list_people(trustees: Iterable[Sid], session: Session) -> list[Principal]:
    """Return who is among *trustees*, through groups too, by name."""
    directory = session.directory
    found = [directory.list_users() if each == EVERYONE else directory.list_members(each) for each in sorted(trustees)]
    users = {user.id: user for users in found for user in users}
    principals = (directory.find_principal(each) for each in users)
    return sorted((each for each in principals if each is not None), key=lambda each: each.user.nt4_name.casefold())
