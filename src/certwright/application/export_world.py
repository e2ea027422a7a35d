"""Write out people, rights and templates as files that a load reads back unchanged."""

from collections.abc import Sequence
from enum import Flag, auto

from certwright.application.trustees import get_group, get_user, list_telling_names
from certwright.application.world import World
from certwright.domain.identities import Group, User
from certwright.domain.ports import Session
from certwright.formats.definition_encoding import encode_templates
from certwright.formats.world_encoding import (
    HEAD,
    Table,
    encode_tables,
    find_domain,
    list_group_tables,
    list_right_tables,
    list_user_tables,
)


class Part(Flag):
    """What a file is to have."""

    USERS = auto()
    GROUPS = auto()
    RIGHTS = auto()
    TEMPLATES = auto()
    ALL = USERS | GROUPS | RIGHTS | TEMPLATES


def export_world(parts: Part = Part.ALL, *, world: World) -> str:
    """Return the world file with these parts. Rights on templates that were withdrawn are not in it."""
    with world.store.reading() as session:
        return _encode(parts, session.directory.list_users(), session.directory.list_groups(), session)


def export_users(accounts: Sequence[str], *, world: World) -> str:
    """Return the world file with these accounts, or with all. Errors: UserNotFound."""
    with world.store.reading() as session:
        users = [get_user(each, session) for each in accounts] or session.directory.list_users()
        return _encode(Part.USERS, users, (), session)


def export_groups(names: Sequence[str], *, world: World) -> str:
    """Return the world file with these groups, or with all. Errors: GroupNotFound."""
    with world.store.reading() as session:
        wanted = {get_group(each, session).id for each in names}
        groups = [each for each in session.directory.list_groups() if not wanted or each.id in wanted]
        return _encode(Part.GROUPS, (), groups, session)


def _encode(parts: Part, users: Sequence[User], groups: Sequence[Group], session: Session) -> str:
    names, templates = list_telling_names(session), session.templates.list_newest()
    domain = find_domain(session.directory.list_users())
    tables: dict[str, Table | Sequence[Table]] = {"domain": {"name": domain}}
    if Part.RIGHTS in parts:
        # Beside templates, rights on them stand at the templates.
        called = {} if Part.TEMPLATES in parts else {str(each.id): each.name for each in templates}
        if Part.TEMPLATES not in parts:
            called |= {one.common_name: one.common_name for each in templates for one in each.certificate_templates}
        tables["rights"] = list_right_tables(session.directory.load_grants(), names, called)
    if Part.USERS in parts:
        tables["users"] = list_user_tables(users, domain)
    if Part.GROUPS in parts:
        tables["groups"] = list_group_tables(groups, names)
    text = f"{HEAD}\n{encode_tables(tables)}"
    if Part.TEMPLATES in parts and templates:
        text += "\n" + encode_templates(templates, names, session.directory.load_grants(), explained=False)
    return text
