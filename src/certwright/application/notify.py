"""From events to notifications: what people and programs are told is written with the event it tells of."""

from collections.abc import Sequence

from certwright.domain.errors import RequestNotFound
from certwright.domain.events import Event
from certwright.domain.identities import User, UserId
from certwright.domain.notifications import NotificationType
from certwright.domain.notified_events import TELLING, Notification, list_notification_types
from certwright.domain.ports import NotificationSink, Session
from certwright.domain.program import PROGRAM_ID, THE_PROGRAM
from certwright.domain.requests import Request, RequestId


class Notifier:
    """Keeps `ports.EventListener`: makes notifications of events, and hands each to every sink."""

    def __init__(self, sinks: Sequence[NotificationSink]) -> None:
        self._sinks = tuple(sinks)

    def hear(self, events: Sequence[Event], session: Session) -> None:
        """Put into the outbox what *events* are notices of. One request is looked up once, however many tell of it."""
        requests: dict[RequestId, Request | None] = {}
        for event in events if self._sinks else ():
            if event.type not in TELLING or event.request_id is None:
                continue
            request_id = RequestId(event.request_id)
            if request_id not in requests:
                requests[request_id] = _find_request(request_id, session)
            request = requests[request_id]
            if request is not None:
                self._tell(event, request, session)

    def _tell(self, event: Event, request: Request, session: Session) -> None:
        for each in list_notification_types(event):
            notification = make_notification(each, event, request, session)
            for sink in self._sinks:
                sink.notify(notification, session)


def make_notification(kind: NotificationType, event: Event, request: Request, session: Session) -> Notification:
    """Return the notification of *kind* that *event* is, with everybody it concerns."""
    return Notification(
        type=kind,
        event=event,
        request=request,
        template=session.templates.get(request.template_id, request.template_version),
        subject=_find_user(request.target_id, session),
        originator=_find_user(request.originator_id, session),
    )


def _find_request(request_id: RequestId, session: Session) -> Request | None:
    try:
        return session.requests.get(request_id)
    except RequestNotFound:
        return None


def _find_user(user_id: UserId, session: Session) -> User | None:
    if user_id == PROGRAM_ID:
        return THE_PROGRAM.user
    principal = session.directory.find_principal(user_id)
    return None if principal is None else principal.user
