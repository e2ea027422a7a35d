"""Look at profile templates and their versions, write them out, and withdraw one."""

from collections.abc import Sequence
from dataclasses import dataclass

from certwright.application.explain_access import get_template_named
from certwright.application.trustees import list_known_names, list_telling_names
from certwright.application.world import World
from certwright.domain.errors import TemplateInUse
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.grants import Grants
from certwright.domain.identities import Sid
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileStatus
from certwright.formats.definition_encoding import encode_templates

LIVE = frozenset({ProfileStatus.NEW, ProfileStatus.ACTIVE, ProfileStatus.SUSPENDED})

UNCERTAIN_NUMBERS = 10_000
"""PostgreSQL gives numbers before others see the rows: so many of the last ones are looked at again under the lock."""


def list_templates(*, world: World) -> tuple[ProfileTemplate, ...]:
    """Return the newest version of each template, by name."""
    with world.store.reading() as session:
        return session.templates.list_newest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTemplate:
    """A template with what belongs to it. Shape: *names* says what people call a SID."""

    template: ProfileTemplate
    versions: int
    grants: Grants
    names: dict[Sid, str]


def see_template(name: str, version: int | None = None, *, world: World) -> SeenTemplate:
    """Return a version of the template with that name or identifier, or the newest. Errors: ProfileTemplateNotFound."""
    with world.store.reading() as session:
        newest = get_template_named(name, session)
        return SeenTemplate(
            template=newest if version is None else session.templates.get(newest.id, version),
            versions=newest.version,
            grants=session.directory.load_grants(),
            names=list_known_names(session),
        )


def export_templates(names: Sequence[str], *, world: World) -> str:
    """Return the file that `import_templates` reads back as these templates, or as all of them when *names* is empty.

    Errors: ProfileTemplateNotFound; DefinitionInvalid when a certificate template is not the same in all of them.
    """
    with world.store.reading() as session:
        found = [get_template_named(each, session) for each in names] or session.templates.list_newest()
        templates = {each.id: each for each in found}.values()
        return encode_templates(templates, list_telling_names(session), session.directory.load_grants())


def export_version(name: str, version: int, *, explained: bool = True, world: World) -> str:
    """Return the file with one version of a template, without rights: those have no versions. Errors: as `export_templates`."""
    with world.store.reading() as session:
        template = session.templates.get(get_template_named(name, session).id, version)
        return encode_templates((template,), list_telling_names(session), explained=explained)


def _check_unused(template: ProfileTemplate, after: int, session: Session) -> None:
    """See that the template has no open requests, and no live profiles with numbers above *after*. Errors: TemplateInUse."""
    requests = session.requests.count_open_of_template(template.id)
    profiles = session.profiles.count_of_template(template.id, LIVE, after=after)
    if requests or profiles:
        raise TemplateInUse(template.name, requests, profiles)


def withdraw_template(name: str, *, operator: str, world: World) -> ProfileTemplate:
    """Return the template, which nobody is offered any more; its versions stay for what was issued under them.

    Errors: ProfileTemplateNotFound; TemplateInUse while it has open requests or live profiles.
    """
    with world.store.reading() as session:
        counted = session.profiles.find_last_number() - UNCERTAIN_NUMBERS
        _check_unused(get_template_named(name, session), 0, session)
    with world.store.writing() as session:
        template = get_template_named(name, session)
        # What had ended when it was counted does not live again; what is new has a number of its own.
        _check_unused(template, counted, session)
        session.templates.withdraw(template.id)
        told = tell_of_operator(
            EventType.TEMPLATE_WITHDRAWN, operator, world.clock.now(), template=template.name, id=str(template.id)
        )
        session.history.append([told])
    return template
