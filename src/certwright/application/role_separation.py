"""Auditors and CA operators hold no other role: looked at whenever rights, groups or templates change."""

from certwright.application.trustees import list_known_names
from certwright.application.world import World
from certwright.domain.errors import RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.ports import Session
from certwright.domain.roles import list_combined_roles, list_role_holdings


def separate_roles(session: Session, *, operator: str, world: World) -> tuple[RolesCombined, ...]:
    """Return which roles people combine that are kept apart: nothing, unless the installation's settings allow it.

    Where they do, each pair goes into the history at every change.

    Errors: RolesCombined, RulesBroken with all of them, so that the change is not stored.
    """
    directory = session.directory
    names = list_known_names(session)
    principals = [each for each in (directory.find_principal(user.id) for user in directory.list_users()) if each is not None]
    holdings = list_role_holdings(directory.load_grants(), session.templates.list_newest())
    combined = list_combined_roles(principals, holdings, names)
    if not world.allows_combined_roles:
        check_none_broken([*combined])
    now = world.clock.now()
    session.history.append([tell_of_operator(EventType.ROLES_COMBINED, operator, now, detail=each.text) for each in combined])
    return tuple(combined)
