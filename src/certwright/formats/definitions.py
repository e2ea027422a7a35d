"""World files: an installation's people, rights and templates as an administrator writes them, in TOML."""

import re
import tomllib
from dataclasses import dataclass

import msgspec

from certwright.domain.errors import DefinitionInvalid, Refused, check_none_broken
from certwright.domain.grants import Grant
from certwright.domain.identities import Group, User
from certwright.domain.profile_templates import ProfileTemplate
from certwright.formats.definition_tables import WorldTable
from certwright.formats.definition_values import DefinitionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldDefinition:
    """Everything that a world file defines, names resolved to identifiers."""

    users: tuple[User, ...]
    groups: tuple[Group, ...]
    grants: tuple[Grant, ...]
    templates: tuple[ProfileTemplate, ...]


def parse_world(text: str) -> WorldDefinition:
    """Return what the world file *text* defines.

    Errors: DefinitionInvalid for the one fault, RulesBroken for several; each names the key it is about.
    Source: the format is ours; worlds/demo.toml shows and explains all of it.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise DefinitionInvalid("world file", f"this is no TOML: {fault}") from fault
    try:
        table = msgspec.convert(raw, WorldTable)
    except msgspec.ValidationError as fault:
        raise _explain(fault) from fault
    faults: list[Refused] = []
    reader = DefinitionReader(table, faults)
    reader.check_unique()
    world = WorldDefinition(
        users=tuple(reader.read_user(each) for each in table.users),
        groups=tuple(reader.read_group(each) for each in table.groups),
        grants=tuple(reader.read_grants()),
        templates=tuple(reader.read_template(each) for each in table.profile_templates),
    )
    check_none_broken(faults)
    return world


def _explain(fault: msgspec.ValidationError) -> DefinitionInvalid:
    """Return what msgspec found, under a dotted path instead of its own notation."""
    detail, _, place = str(fault).partition(" - at ")
    path = re.findall(r"\$\.?([^`]*)", place)
    return DefinitionInvalid(path[0] if path and path[0] else "world file", detail[:1].lower() + detail[1:].replace("`", ""))
