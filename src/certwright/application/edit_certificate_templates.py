"""Look at certificate templates, add them and change them one at a time, with the rules and events of an import.

A certificate template is one thing, whatever profile templates issue it: a change makes a new version of each of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from certwright.application.explain_access import get_template_named
from certwright.application.import_templates import ImportedTemplates, import_in_session
from certwright.application.known_identities import KnownIdentities
from certwright.application.trustees import list_telling_names
from certwright.application.world import World
from certwright.domain.errors import CertificateTemplateNotFound, MalformedValue
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.identities import EVERYONE
from certwright.domain.ports import Session
from certwright.domain.profile_templates import CertificateTemplate
from certwright.formats.definition_encoding import encode_certificate_templates, tabulate_certificate_template
from certwright.formats.definitions import TemplatesDefinition, parse_templates
from certwright.formats.world_encoding import Table, encode_tables

SOURCE = "certwright certificate-templates"
"""Stands in the history where the name of an imported file does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCertificateTemplate:
    """Shape: *profile_templates* are names of those that issue it; *enrolling* are names of who may enroll it."""

    template: CertificateTemplate
    profile_templates: tuple[str, ...]
    enrolling: tuple[str, ...]


def list_certificate_templates(*, world: World) -> tuple[SeenCertificateTemplate, ...]:
    """Return what the newest versions of profile templates issue, by name, each in its newest form."""
    with world.store.reading() as session:
        return _list(session)


def see_certificate_template(name: str, *, world: World) -> SeenCertificateTemplate:
    """Return the certificate template of that common name, in any case. Errors: CertificateTemplateNotFound."""
    with world.store.reading() as session:
        return _get(name, _list(session))


def export_certificate_templates(names: Sequence[str], *, explained: bool = True, world: World) -> str:
    """Return the file with these, or all, that `import_templates` reads back. Errors: CertificateTemplateNotFound."""
    with world.store.reading() as session:
        present = _list(session)
        found = [_get(each, present).template for each in names] or [each.template for each in present]
        grants = session.directory.load_grants()
        return encode_certificate_templates(
            tuple(dict.fromkeys(found)), list_telling_names(session), grants, explained=explained
        )


def add_certificate_template(
    name: str, profile_template: str, values: Table, *, operator: str, world: World
) -> ImportedTemplates:
    """Return what changed after the profile template got one more certificate template, behind those it has.

    Shape: *values* are keys of a table of definition files; an object identifier that is left out is made.
    Errors: ProfileTemplateNotFound; MalformedValue for a name that is taken; as `import_templates`.
    """

    def add(session: Session) -> TemplatesDefinition:
        taken = [
            each.template.common_name for each in _list(session) if each.template.common_name.casefold() == name.casefold()
        ]
        if taken:
            raise MalformedValue("name", f"there is a certificate template {taken[0]} already")
        issuing = get_template_named(profile_template, session)
        definition = _define({"common_name": name, **values}, session, world)
        certificates = (*issuing.certificate_templates, *definition.other_certificate_templates)
        issuing = replace(issuing, certificate_templates=certificates)
        return replace(definition, templates=(issuing,), other_certificate_templates=())

    return _change(add, operator, world)


def edit_certificate_template(
    name: str, change: Callable[[dict[str, object]], Table], *, operator: str, world: World
) -> ImportedTemplates:
    """Return what changed after the certificate template became what *change* makes of its table in definition files.

    Errors: CertificateTemplateNotFound; as `import_templates`.
    """

    def edit(session: Session) -> TemplatesDefinition:
        before = _get(name, _list(session)).template
        return _define({**change(tabulate_certificate_template(before)), "common_name": before.common_name}, session, world)

    return _change(edit, operator, world)


def _change(define: Callable[[Session], TemplatesDefinition], operator: str, world: World) -> ImportedTemplates:
    with world.store.writing() as session:
        return import_in_session(define(session), SOURCE, operator=operator, session=session, world=world)


def _define(table: Table, session: Session, world: World) -> TemplatesDefinition:
    text = encode_tables({"certificate_templates": [table]})
    return parse_templates(text, "", KnownIdentities(session, world))


def _list(session: Session) -> tuple[SeenCertificateTemplate, ...]:
    issuing: dict[str, list[str]] = {}
    found: dict[str, CertificateTemplate] = {}
    for each in session.templates.list_newest():
        for one in each.certificate_templates:
            found.setdefault(one.common_name, one)
            issuing.setdefault(one.common_name, []).append(each.name)
    return tuple(
        SeenCertificateTemplate(
            template=found[name], profile_templates=tuple(issuing[name]), enrolling=_list_enrolling(name, session)
        )
        for name in sorted(found, key=str.casefold)
    )


def _list_enrolling(name: str, session: Session) -> tuple[str, ...]:
    held = session.directory.list_grants_on(ObjectKind.CERTIFICATE_TEMPLATE, name)
    sids = {each.trustee for each in held if each.right is Right.ENROLL}
    names = {**session.directory.name_sids(sids), EVERYONE: "everyone"}
    return tuple(sorted(names.get(each, each) for each in sids))


def _get(name: str, present: Sequence[SeenCertificateTemplate]) -> SeenCertificateTemplate:
    found = next((each for each in present if each.template.common_name.casefold() == name.casefold()), None)
    if found is None:
        raise CertificateTemplateNotFound(name)
    return found
