"""Show the mails that a policy's rules make, without sending any."""

from typing import Any

from certwright.application.manage_templates import see_template
from certwright.application.notification_facts import describe_notification
from certwright.application.notify import make_notification
from certwright.application.world import World
from certwright.domain.errors import PolicyMissing
from certwright.domain.events import Event, EventType, tell_of_program
from certwright.domain.notifications import NotificationRule, NotificationType
from certwright.domain.notified_events import list_notification_types
from certwright.domain.policies import Policy
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.formats.built_in_mails import BUILT_IN_MAILS, make_sample_facts
from certwright.formats.mail_templates import RenderedMail, render_mail

Preview = tuple[NotificationRule, RenderedMail]
SAMPLE_SECRET = "ONE-TIME-PASSWORD"
"""What stands in a preview where a secret will be: nothing shows one."""


def preview_of_policy(template: str, kind: RequestType, wanted: NotificationType, *, world: World) -> tuple[Preview, ...]:
    """Return each rule of the policy for *wanted* and its mail, filled in with sample facts; *template* is a name or GUID.

    A policy without such a rule shows the built-in mail, which nobody gets.

    Errors: ProfileTemplateNotFound; PolicyMissing.
    """
    found = see_template(template, world=world).template
    policy = _get_policy(found, kind)
    facts = make_sample_facts(wanted) | {"profile_template": {"id": str(found.id), "name": found.name}}
    return _render(policy, wanted, facts)


def preview_of_request(request_id: RequestId, wanted: NotificationType, *, world: World) -> tuple[Preview, ...]:
    """Return each rule for *wanted* of the policy that the request is under, and its mail about this request.

    The event is the last one of the request that is such a notice; where there was none yet, one of now.

    Errors: RequestNotFound; PolicyMissing.
    """
    with world.store.reading() as session:
        request = session.requests.get(request_id)
        template = session.templates.get(request.template_id, request.template_version)
        policy = _get_policy(template, request.type)
        event = _find_event(request_id, wanted, session) or tell_of_program(
            EventType.REQUEST_CREATED, world.clock.now(), **make_sample_facts(wanted)["details"]
        )
        facts = describe_notification(make_notification(wanted, event, request, session))
    if wanted is NotificationType.DISTRIBUTE_SECRETS:
        facts |= {"secrets": [SAMPLE_SECRET]}
    return _render(policy, wanted, facts)


def _render(policy: Policy, wanted: NotificationType, facts: dict[str, Any]) -> tuple[Preview, ...]:
    rules = [each for each in policy.notifications if each.type is wanted] or [NotificationRule(type=wanted, to=())]
    return tuple((each, render_mail(each.template or BUILT_IN_MAILS[wanted], facts)) for each in rules)


def _get_policy(template: ProfileTemplate, kind: RequestType) -> Policy:
    """Return the policy, switched off or not: mails are looked at before it is switched on."""
    policy = template.policies.get(kind)
    if policy is None:
        raise PolicyMissing(template.name, kind.name.lower().replace("_", " "))
    return policy


def _find_event(request_id: RequestId, wanted: NotificationType, session: Session) -> Event | None:
    fitting = [
        each
        for each in session.history.list_of_request(request_id)
        if isinstance(each, Event) and wanted in list_notification_types(each)
    ]
    return fitting[-1] if fitting else None
