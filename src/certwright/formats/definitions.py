"""World files: an installation's people, rights and templates as an administrator writes them, in TOML."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec

from certwright.domain.errors import DefinitionInvalid, Refused, check_none_broken
from certwright.domain.grants import Grant
from certwright.domain.identities import Group, User
from certwright.domain.profile_templates import ProfileTemplate
from certwright.formats.definition_lines import DefinitionLines
from certwright.formats.definition_tables import PolicyTable, WorldTable
from certwright.formats.definition_values import DefinitionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldDefinition:
    """Everything that a world file defines, names resolved to identifiers."""

    users: tuple[User, ...]
    groups: tuple[Group, ...]
    grants: tuple[Grant, ...]
    templates: tuple[ProfileTemplate, ...]


def parse_world(text: str, name: str = "world file") -> WorldDefinition:
    """Return what the world file *text* defines; *name* is what faults call the file.

    Errors: DefinitionInvalid for the one fault, RulesBroken for several; each names file, line and key it is about.
    Source: the format is ours; worlds/demo.toml shows and explains all of it.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise DefinitionInvalid(name, f"this is no TOML: {fault}") from fault
    lines = DefinitionLines(text, raw)
    try:
        table = msgspec.convert(raw, WorldTable)
    except msgspec.ValidationError as fault:
        raise _place(_explain(fault, raw), name, lines) from fault
    faults: list[Refused] = []
    reader = DefinitionReader(table, faults)
    reader.check_unique()
    world = WorldDefinition(
        users=tuple(reader.read_user(each) for each in table.users),
        groups=tuple(reader.read_group(each) for each in table.groups),
        grants=tuple(reader.read_grants()),
        templates=tuple(reader.read_template(each) for each in table.profile_templates),
    )
    check_none_broken([_place(each, name, lines) if isinstance(each, DefinitionInvalid) else each for each in faults])
    return world


def _place(fault: DefinitionInvalid, name: str, lines: DefinitionLines) -> DefinitionInvalid:
    """Return *fault* with file and line before its path."""
    line = lines.find(fault.where)
    file = name if line is None else f"{name} line {line}"
    return DefinitionInvalid(f"{file}: {fault.where}" if fault.where else file, fault.detail)


def _explain(fault: msgspec.ValidationError, raw: dict[str, Any]) -> DefinitionInvalid:
    """Return what msgspec found, under a dotted path instead of its own notation."""
    detail, _, place = str(fault).partition(" - at ")
    path = re.findall(r"\$\.?([^`]*)", place)
    where = _name_policy(path[0], raw) if path else ""
    if unknown := re.search(r"unknown field `(.*)`", detail):
        where = f"{where}.{unknown[1]}".lstrip(".")
    return DefinitionInvalid(where, detail[:1].lower() + detail[1:].replace("`", ""))


def _name_policy(path: str, raw: dict[str, Any]) -> str:
    """Return *path* with the kind of request that msgspec leaves out of it: that of the first policy that is none."""
    found = re.match(r"profile_templates\[(\d+)\]\.policies\[\.\.\.\]", path)
    if found is None:
        return path
    for kind, policy in raw["profile_templates"][int(found[1])]["policies"].items():
        try:
            msgspec.convert(policy, PolicyTable)
        except msgspec.ValidationError:
            return f"profile_templates[{found[1]}].policies.{kind}{path[found.end() :]}"
    return path
