"""Everything that is known of one request, for whoever runs the server."""

from dataclasses import dataclass
from datetime import datetime

from certwright.application.one_time_passwords import find_password_state
from certwright.application.request_parties import list_counting_approvals, see_request
from certwright.application.world import World
from certwright.domain.certificates import Certificate
from certwright.domain.distributed_passwords import DistributedPasswords, PasswordState
from certwright.domain.events import EventType, StoredEvent, tell_of_operator
from certwright.domain.outbox import OutboxMessage
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.requests import Approval, Request, RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRequest:
    """A request with its whole story, as of *at*.

    Shape: *approvals*, *certificates* (those about to be signed included), *messages* and *events* in their order;
    *counting_approvals* are those of *approvals* whose approvers are enabled and
    could still give them, and all of them once the request has ended.
    *password_state* is None where the request needs no one-time passwords, *passwords* where none were handed out.
    """

    at: datetime
    request: Request
    template: ProfileTemplate
    policy: Policy
    approvals: tuple[Approval, ...]
    counting_approvals: tuple[Approval, ...]
    approvals_needed: int
    password_state: PasswordState | None
    passwords: DistributedPasswords | None
    certificates: tuple[Certificate, ...]
    messages: tuple[OutboxMessage, ...]
    events: tuple[StoredEvent, ...]


def trace_request(request_id: RequestId, *, operator: str, world: World) -> TracedRequest:
    """Return the request with everything that happened to it.

    That *operator* reads it is an event first: part of the history is in it. It is no event of the request, which nobody works
    on by looking at it. Errors: RequestNotFound.
    """
    now = world.clock.now()
    with world.store.writing() as session:
        session.requests.get(request_id)
        told = tell_of_operator(EventType.HISTORY_READ, operator, now, search=f"request={request_id}", how="story of a request")
        session.history.append([told])
    with world.store.reading() as session:
        seen = see_request(session.requests.get(request_id), session)
        approvals = session.requests.list_approvals(request_id)
        state = find_password_state(seen, session, now)
        return TracedRequest(
            at=now,
            request=seen.request,
            template=seen.template,
            policy=seen.policy,
            approvals=approvals,
            counting_approvals=list_counting_approvals(seen, session) if seen.request.is_open else approvals,
            approvals_needed=seen.approvals_needed,
            password_state=state,
            passwords=None if state is None else session.passwords.find(request_id),
            certificates=session.certificates.list_of_request(request_id),
            messages=session.outbox.list_of_request(request_id),
            events=session.history.list_of_request(request_id),
        )
