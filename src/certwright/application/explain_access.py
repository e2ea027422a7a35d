"""Explain an access decision, right by right and object by object."""

from certwright.application.request_parties import see_request
from certwright.application.trustees import list_known_names
from certwright.application.world import World
from certwright.domain.access import ActOnRequest, Decision, StartRequest, decide
from certwright.domain.account_names import find_named
from certwright.domain.errors import ProfileTemplateNotFound, UserNotFound
from certwright.domain.identities import Principal, Sid
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.requests import RequestId
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import Operation

EXPLAINED = (RequestPermission.READ, RequestPermission.EXECUTE, RequestPermission.CANCEL, RequestPermission.APPROVE)


def explain_request(account: str, request_id: RequestId, *, world: World) -> tuple[Decision, ...]:
    """Return the decisions on everything that *account* could do to the request. Errors: UserNotFound; RequestNotFound."""
    with world.store.reading() as session:
        by = _get_named(account, session)
        seen = see_request(session.requests.get(request_id), session)
        return tuple(decide(by, ActOnRequest(each, seen.security), seen.grants) for each in EXPLAINED)


def explain_start(account: str, template: str, operation: Operation, target: str, *, world: World) -> Decision:
    """Return the decision on starting *operation* for *target*; a template is named by its name or its identifier.

    Whether a profile is in the right state is another question: the lists of operations answer it.

    Errors: UserNotFound; ProfileTemplateNotFound; PolicyMissing.
    """
    with world.store.reading() as session:
        by, subject = _get_named(account, session), _get_named(target, session)
        found = get_template_named(template, session)
        asked = StartRequest(operation=operation, target=subject, template=found, certificates=found.certificate_templates)
        return decide(by, asked, session.directory.load_grants())


def list_names(*, world: World) -> dict[Sid, str]:
    """Return what people call each SID of the directory."""
    with world.store.reading() as session:
        return list_known_names(session)


def get_template_named(name: str, session: Session) -> ProfileTemplate:
    """Return the newest version of the template with that name, in any case, or identifier. Errors: ProfileTemplateNotFound."""
    wanted = name.strip().casefold()
    for each in session.templates.list_newest():
        if wanted in (each.name.casefold(), str(each.id)):
            return each
    raise ProfileTemplateNotFound(name)


def _get_named(account: str, session: Session) -> Principal:
    found = find_named(account, session.directory)
    if found is None:
        raise UserNotFound(account)
    return found
