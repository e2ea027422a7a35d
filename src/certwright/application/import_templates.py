"""Import templates that an administrator wrote down or exported, and see beforehand what that would change."""

from dataclasses import dataclass

from certwright.application.known_identities import KnownIdentities
from certwright.application.load_world import load_in_session
from certwright.application.rehearsal import rehearse
from certwright.application.role_separation import separate_roles
from certwright.application.stored_templates import (
    list_grant_faults,
    list_name_faults,
    list_people_faults,
    list_template_faults,
    list_unused_faults,
    replace_rights,
    save_templates,
    tell_versions,
)
from certwright.application.trustees import list_telling_names
from certwright.application.world import World
from certwright.domain.errors import RolesCombined, check_none_broken
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId
from certwright.formats.definition_encoding import encode_templates
from certwright.formats.definitions import TemplatesDefinition, is_world, parse_templates, parse_world


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTemplates:
    """What an import changed. Shape: *templates* have new versions."""

    templates: tuple[ProfileTemplate, ...]
    combined_roles: tuple[RolesCombined, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChange:
    """What a file would make of one template. Shape: texts of files, empty for one that is not there."""

    name: str
    before: str
    after: str


def import_templates(text: str, name: str, *, operator: str, world: World) -> ImportedTemplates:
    """Return what changed: nothing, when the same *text* is imported again. *name* is what faults call it.

    Names of people are looked up in the directory. Rights on a template become those of the text where it states some;
    all others, and people, stay as they are.

    Errors: as `parse_templates`; EscalationPath, DefinitionInvalid, RolesCombined, or RulesBroken with every one of them;
            each names file, line and key where it is about one.
    """
    with world.store.writing() as session:
        return _import(text, name, operator, session, world)


def preview_changes(text: str, name: str, *, operator: str, world: World) -> tuple[TemplateChange, ...]:
    """Return what importing *text*, or loading it when it is a world file, would change in templates and rights on them.

    Errors: as `import_templates` and `load_world`: what those would refuse is refused.
    """

    def compare(session: Session) -> tuple[TemplateChange, ...]:
        before = _encode_each(session)
        if is_world(text):
            load_in_session(
                parse_world(text, name, KnownIdentities(session, world)), name, operator=operator, session=session, world=world
            )
        else:
            _import(text, name, operator, session, world)
        after = _encode_each(session)
        names = {each: named for found in (before, after) for each, (named, _) in found.items()}
        changes = (
            TemplateChange(name=names[each], before=before.get(each, ("", ""))[1], after=after.get(each, ("", ""))[1])
            for each in names
        )
        return tuple(each for each in changes if each.before != each.after)

    return rehearse(compare, world)


def _import(text: str, name: str, operator: str, session: Session, world: World) -> ImportedTemplates:
    definition = parse_templates(text, name, KnownIdentities(session, world))
    return import_in_session(definition, name, operator=operator, session=session, world=world)


def import_in_session(
    definition: TemplatesDefinition, name: str, *, operator: str, session: Session, world: World
) -> ImportedTemplates:
    """Return what `import_templates` does, in a session of the caller's. Errors: as there, but for those of the text."""
    place = definition.source.place
    allowed = world.authority.issuer.certificate_policies
    faults = [
        *list_template_faults(definition.templates, world.patterns, allowed),
        *list_grant_faults(definition.grants, definition.templates, session),
        *list_name_faults(definition.templates, session),
        *list_unused_faults(definition.other_certificate_templates, definition.templates, session),
    ]
    check_none_broken(place(faults))
    templates = save_templates(definition.templates, session, definition.other_certificate_templates)
    # What shares a certificate template with the file has changed with it.
    check_none_broken(place(list_template_faults(templates, world.patterns, allowed)))
    _replace_stated_rights(definition, operator, session, world)
    check_none_broken(place(list_people_faults(definition.templates, session)))
    combined = separate_roles(session, operator=operator, world=world)
    told = tell_of_operator(
        EventType.TEMPLATES_IMPORTED, operator, world.clock.now(), name=name, templates=tell_versions(templates)
    )
    session.history.append([told])
    return ImportedTemplates(templates=templates, combined_roles=combined)


def _replace_stated_rights(definition: TemplatesDefinition, operator: str, session: Session, world: World) -> None:
    stated = {(kind, place.casefold()) for kind, place in definition.places_of_rights}
    present = session.directory.load_grants()
    kept = [each for each in present if (each.object_kind, each.object_name.casefold()) not in stated]
    replace_rights([*kept, *definition.grants], operator, session, world)


def _encode_each(session: Session) -> dict[ProfileTemplateId, tuple[str, str]]:
    """Return name and text of each template."""
    names, grants = list_telling_names(session), session.directory.load_grants()
    return {
        each.id: (each.name, encode_templates((each,), names, grants, explained=False))
        for each in session.templates.list_newest()
    }
