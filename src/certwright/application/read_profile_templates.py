"""List profile templates, and read one or one of its policies."""

from certwright.application.world import World
from certwright.domain.access import ReadTemplate, check_allowed, decide
from certwright.domain.identities import Caller
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId
from certwright.domain.request_types import RequestType


def list_profile_templates(*, by: Caller, world: World, workflow: RequestType | None = None) -> tuple[ProfileTemplate, ...]:
    """Return the templates that *by* may read, by name; with *workflow*, those that take such requests."""
    with world.store.reading() as session:
        grants = session.directory.load_grants()
        newest = session.templates.list_newest()
    readable = (each for each in newest if decide(by, ReadTemplate(each), grants).is_allowed)
    return tuple(each for each in readable if workflow is None or _takes(each, workflow))


def read_profile_template(template_id: ProfileTemplateId, *, by: Caller, world: World) -> ProfileTemplate:
    """Return the newest version. Errors: ProfileTemplateNotFound; AccessDenied."""
    with world.store.reading() as session:
        template = session.templates.get(template_id)
        check_allowed(decide(by, ReadTemplate(template), session.directory.load_grants()))
    return template


def find_policy(template_id: ProfileTemplateId, workflow: RequestType, *, by: Caller, world: World) -> Policy | None:
    """Return the policy, or None where the template has none. Errors: ProfileTemplateNotFound; AccessDenied."""
    return read_profile_template(template_id, by=by, world=world).policies.get(workflow)


def _takes(template: ProfileTemplate, workflow: RequestType) -> bool:
    policy = template.policies.get(workflow)
    return policy is not None and policy.enabled
