"""Definition files in TOML: world files, with an installation's people, rights and templates; and files of templates alone."""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from certwright.domain.errors import DefinitionInvalid, Refused, check_none_broken
from certwright.domain.grants import Grant, ObjectKind
from certwright.domain.identities import Group, User
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate
from certwright.formats.definition_identities import Identities, NothingKnown, complete
from certwright.formats.definition_lines import DefinitionLines, DefinitionSource
from certwright.formats.definition_tables import DomainTable, PolicyTable, TemplatesTable, WorldTable
from certwright.formats.definition_values import DefinitionReader
from certwright.formats.user_names import normalize_name

ONLY_IN_WORLDS = sorted(frozenset(WorldTable.__struct_fields__) - frozenset(TemplatesTable.__struct_fields__))
Table = TypeVar("Table", TemplatesTable, WorldTable)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldDefinition:
    """Everything that a world file defines, names resolved to identifiers."""

    users: tuple[User, ...]
    groups: tuple[Group, ...]
    grants: tuple[Grant, ...]
    templates: tuple[ProfileTemplate, ...]
    other_certificate_templates: tuple[CertificateTemplate, ...] = ()
    source: DefinitionSource = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesDefinition:
    """Everything that a file of templates defines. Shape: *places_of_rights* are the templates that it states rights for."""

    grants: tuple[Grant, ...]
    places_of_rights: tuple[tuple[ObjectKind, str], ...]
    templates: tuple[ProfileTemplate, ...]
    other_certificate_templates: tuple[CertificateTemplate, ...] = ()
    source: DefinitionSource = field(compare=False, repr=False)


def is_world(text: str) -> bool:
    """Return whether *text* has what only world files have: a domain, people, or rights over them."""
    try:
        return not tomllib.loads(text).keys().isdisjoint(ONLY_IN_WORLDS)
    except (ValueError, RecursionError):
        return False


def parse_world(text: str, name: str = "world file", known: Identities | None = None) -> WorldDefinition:
    """Return what the world file *text* defines; *name* is what faults call the file.

    Shape: *known* is what there is already: what the file leaves out is taken from it, and names are looked up there that the
    file does not define. Without it nothing is known, and identifiers that the file leaves out are placeholders.
    Errors: DefinitionInvalid for the one fault, RulesBroken for several; each names file, line and key it is about.
    Source: the format is ours; worlds/demo.toml shows and explains all of it.
    """
    raw, source = _read(text, name)
    if "domain" not in raw:
        detail = "a world file begins with [domain]; a file of templates alone is for certwright templates import"
        raise DefinitionInvalid(name, detail)
    faults, known = list[Refused](), known or NothingKnown()
    table = complete(_convert(raw, WorldTable, source), known, faults)
    reader = DefinitionReader(table, known, faults)
    reader.check_unique()
    world = WorldDefinition(
        users=tuple(reader.read_user(each) for each in table.users),
        groups=tuple(reader.read_group(each) for each in table.groups),
        grants=tuple(reader.read_grants()),
        templates=tuple(reader.read_template(each) for each in table.profile_templates),
        other_certificate_templates=reader.list_other_certificate_templates(),
        source=source,
    )
    check_none_broken(source.place(faults))
    return world


def parse_templates(text: str, name: str, known: Identities) -> TemplatesDefinition:
    """Return what the file *text* of templates alone defines; *known* as for `parse_world`.

    Errors: as `parse_world`, also for people in it. Source: the format is that of world files.
    """
    raw, source = _read(text, name)
    detail = "a file of templates has no people and no rights over them: a world file is for certwright load"
    check_none_broken(source.place(DefinitionInvalid(each, detail) for each in ONLY_IN_WORLDS if each in raw))
    table, faults = _convert(raw, TemplatesTable, source), list[Refused]()
    alone = WorldTable(
        domain=DomainTable(name=""),
        certificate_templates=table.certificate_templates,
        profile_templates=table.profile_templates,
    )
    world = complete(alone, known, faults)
    reader = DefinitionReader(world, known, faults)
    reader.check_unique()
    templates = TemplatesDefinition(
        grants=tuple(reader.read_grants()),
        places_of_rights=tuple(reader.list_places_of_rights()),
        templates=tuple(reader.read_template(each) for each in world.profile_templates),
        other_certificate_templates=reader.list_other_certificate_templates(),
        source=source,
    )
    check_none_broken(source.place(faults))
    return templates


def _read(text: str, name: str) -> tuple[dict[str, Any], DefinitionSource]:
    # In one spelling, so that two names that look the same are the same.
    text = normalize_name(text)
    try:
        raw = tomllib.loads(text)
    # Not only TOMLDecodeError: a number of 5,000 digits, or brackets in brackets in brackets.
    except (ValueError, RecursionError) as fault:
        raise DefinitionInvalid(name, f"this is no TOML: {fault}") from fault
    return raw, DefinitionSource(name, DefinitionLines(text, raw))


def _convert(raw: dict[str, Any], table: type[Table], source: DefinitionSource) -> Table:
    try:
        return msgspec.convert(raw, table)
    except msgspec.ValidationError as fault:
        raise source.place([_explain(fault, raw)])[0] from fault


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
