"""Change rights, accounts and groups one at a time; each change is an event, and none combines roles that are kept apart."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from certwright.application.role_separation import separate_roles
from certwright.application.trustees import get_group, get_sid, get_user
from certwright.application.world import World
from certwright.domain.errors import MalformedValue, RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.grants import RIGHTS_ON, Grant, ObjectKind, Right
from certwright.domain.identities import Group, User
from certwright.domain.ports import Session
from certwright.domain.rules.escalation import list_everyone_faults
from certwright.domain.rules.policy_parties import list_group_rings


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Shape: *is_new* is false where everything was so already; *combined_roles* is what the settings let pass."""

    is_new: bool
    combined_roles: tuple[RolesCombined, ...] = ()


def grant_right(right: Right, kind: ObjectKind, place: str, trustee: str, *, operator: str, world: World) -> Changed:
    """Give *trustee*, an account or group, a right.

    Shape: *place* is a profile template's name or GUID, a certificate template's common name, an account or group, or empty
    for the service.
    Errors: MalformedValue for a right that means nothing there; UserNotFound and GroupNotFound; MalformedValue for an unknown
            template; EscalationPath for everyone, who may only read; RolesCombined.
    """

    def change(session: Session) -> bool:
        grant = _read_grant(right, kind, place, trustee, session)
        check_none_broken(list_everyone_faults([grant], {grant.object_name: place}))
        return session.directory.add_grant(grant)

    details = {"right": right.value, "place": f"{kind} {place}".strip(), "trustee": trustee}
    return _change(EventType.RIGHT_GRANTED, change, details, operator, world)


def revoke_right(right: Right, kind: ObjectKind, place: str, trustee: str, *, operator: str, world: World) -> Changed:
    """Take a right away. Shape and errors: as `grant_right`."""

    def change(session: Session) -> bool:
        return session.directory.remove_grant(_read_grant(right, kind, place, trustee, session))

    details = {"right": right.value, "place": f"{kind} {place}".strip(), "trustee": trustee}
    return _change(EventType.RIGHT_REVOKED, change, details, operator, world)


def switch_user(account: str, *, enabled: bool, operator: str, world: World) -> Changed:
    """Switch an account on or off; off, it signs in nowhere and nothing is issued to it. Errors: UserNotFound."""

    def change(session: Session) -> bool:
        user = get_user(account, session)
        session.directory.save_user(replace(user, enabled=enabled))
        return user.enabled != enabled

    return _change(EventType.USER_CHANGED, change, {"account": account, "enabled": str(enabled).lower()}, operator, world)


def change_member(group_name: str, member: str, *, is_member: bool, operator: str, world: World) -> Changed:
    """Put an account or group into a group, or take it out.

    Errors: GroupNotFound; UserNotFound; DefinitionInvalid for groups that would hold each other; RolesCombined.
    """

    def change(session: Session) -> bool:
        group, sid = get_group(group_name, session), get_sid(member, session)
        if not is_member:
            return session.directory.remove_member(group.id, sid)
        is_new = session.directory.add_member(group.id, sid)
        if sid in session.directory.list_sids_above(group.sid):
            # Only to say which groups hold each other is it worth while to read all of them.
            check_none_broken(list_group_rings(session.directory.list_groups()))
        return is_new

    details = {"group": group_name, "member": member, "is_member": str(is_member).lower()}
    return _change(EventType.GROUP_CHANGED, change, details, operator, world)


def list_people(*, world: World) -> tuple[tuple[User, ...], tuple[Group, ...], tuple[Grant, ...]]:
    """Return all users, groups and rights."""
    with world.store.reading() as session:
        return session.directory.list_users(), session.directory.list_groups(), tuple(session.directory.load_grants())


def _change(
    event_type: EventType, change: Callable[[Session], bool], details: dict[str, str], operator: str, world: World
) -> Changed:
    with world.store.writing() as session:
        if not change(session):
            return Changed(is_new=False)
        session.history.append([tell_of_operator(event_type, operator, world.clock.now(), subject_id=None, **details)])
        return Changed(is_new=True, combined_roles=separate_roles(session, operator=operator, world=world))


def _read_grant(right: Right, kind: ObjectKind, place: str, trustee: str, session: Session) -> Grant:
    if right not in RIGHTS_ON[kind]:
        raise MalformedValue("right", f"on a {kind} it is one of {', '.join(sorted(RIGHTS_ON[kind]))}")
    return Grant(kind, _name_object(kind, place, session), right, get_sid(trustee, session))


def _name_object(kind: ObjectKind, place: str, session: Session) -> str:
    if kind is ObjectKind.SERVICE:
        return ""
    if kind is ObjectKind.PRINCIPAL:
        return get_sid(place, session)
    templates, wanted = session.templates.list_newest(), place.casefold()
    if kind is ObjectKind.PROFILE_TEMPLATE:
        known = {name: str(each.id) for each in templates for name in (each.name.casefold(), str(each.id))}
    else:
        names = [one.common_name for each in templates for one in each.certificate_templates]
        known = {each.casefold(): each for each in names}
    if wanted not in known:
        raise MalformedValue("place", f"there is no {kind} {place}")
    return known[wanted]
