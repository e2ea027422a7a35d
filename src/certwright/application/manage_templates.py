"""Look at profile templates and their versions, and withdraw one."""

from certwright.application.explain_access import get_template_named
from certwright.application.world import World
from certwright.domain.errors import TemplateInUse
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileStatus

LIVE = frozenset({ProfileStatus.NEW, ProfileStatus.ACTIVE, ProfileStatus.SUSPENDED})


def list_templates(*, world: World) -> tuple[ProfileTemplate, ...]:
    """Return the newest version of each template, by name."""
    with world.store.reading() as session:
        return session.templates.list_newest()


def get_template(name: str, version: int | None = None, *, world: World) -> ProfileTemplate:
    """Return a version of the template with that name or identifier, or the newest. Errors: ProfileTemplateNotFound."""
    with world.store.reading() as session:
        newest = get_template_named(name, session)
        return newest if version is None else session.templates.get(newest.id, version)


def withdraw_template(name: str, *, operator: str, world: World) -> ProfileTemplate:
    """Return the template, which nobody is offered any more; its versions stay for what was issued under them.

    Errors: ProfileTemplateNotFound; TemplateInUse while it has open requests or live profiles.
    """
    with world.store.writing() as session:
        template = get_template_named(name, session)
        requests = session.requests.count_open_of_template(template.id)
        profiles = session.profiles.count_of_template(template.id, LIVE)
        if requests or profiles:
            raise TemplateInUse(template.name, requests, profiles)
        session.templates.withdraw(template.id)
        told = tell_of_operator(
            EventType.TEMPLATE_WITHDRAWN, operator, world.clock.now(), template=template.name, id=str(template.id)
        )
        session.history.append([told])
    return template
