"""The whole story of a request: as JSON for programs, as text for people."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from certwright.application.trace_request import TracedRequest
from certwright.domain.certificates import Certificate, format_serial_number
from certwright.domain.events import Event, StoredEvent
from certwright.domain.identities import UserId
from certwright.domain.requests import Request

ENCRYPTED = "(encrypted)"
"""What stands for the answer to a sensitive question."""
LABEL_CHARACTERS = 13

Names = Mapping[UserId, str]
"""Accounts by identifier."""


def describe_request(request: Request, names: Names) -> dict[str, Any]:
    """Return what one sees of a request in a list."""
    return {
        "id": str(request.id),
        "operation": request.operation.value,
        "status": request.status.name.lower(),
        "originator": _name(request.originator_id, names),
        "target": _name(request.target_id, names),
        "submitted": request.submitted.isoformat(),
        "priority": request.priority,
        "profile": None if request.old_profile_id is None else str(request.old_profile_id),
    }


def describe_story(traced: TracedRequest, names: Names) -> dict[str, Any]:
    """Return the whole story, ready for JSON. Answers to sensitive questions and one-time passwords are not in it."""
    request = traced.request
    new_profile = None if request.profile_id is None else str(request.profile_id)
    return describe_request(request, names) | {
        "template": f"{traced.template.name}, version {traced.template.version}",
        "comment": request.comment,
        "completed": _moment(request.completed),
        "new_profile": new_profile,
        "items": [
            {"name": each.name, "value": ENCRYPTED if each.is_sensitive and each.value is not None else each.value}
            for each in request.data
        ],
        "approvals_needed": traced.approvals_needed,
        "approvals": [
            {
                "approver": _name(each.approver_id, names),
                "at": each.at.isoformat(),
                "comment": each.comment,
                "counts": each in traced.counting_approvals,
            }
            for each in traced.approvals
        ],
        "one_time_passwords": _describe_passwords(traced),
        "certificates": [_describe_certificate(each, traced.at) for each in traced.certificates],
        "notifications": [
            {
                "at": each.created.isoformat(),
                "sink": each.sink,
                "recipient": each.recipient,
                "type": each.notification.value,
                "state": each.state.value,
                "attempts": each.attempts,
                "error": each.error,
            }
            for each in traced.messages
        ],
        "events": [_describe_event(each) for each in traced.events],
    }


def list_story_lines(story: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that people read, of what `describe_story` returned."""
    yield f"Request {story['id']}: {story['operation']} for {story['target']}, {story['status']}"
    yield _line("template", story["template"])
    yield _line("asked for by", f"{story['originator']}, {_when(story['submitted'])}, priority {story['priority']}")
    for label, key in (("comment", "comment"), ("about", "profile"), ("profile", "new_profile")):
        if story[key]:
            yield _line(label, story[key])
    if story["completed"]:
        yield _line("completed", _when(story["completed"]))
    yield from _list_section("Items", [f"{each['name']}: {_or_nothing(each['value'])}" for each in story["items"]])
    given = [_tell_approval(each) for each in story["approvals"]]
    counting = sum(each["counts"] for each in story["approvals"])
    yield from _list_section(f"Approvals: {counting} of {story['approvals_needed']}", given, is_shown=story["approvals_needed"])
    yield from _list_password_lines(story["one_time_passwords"])
    yield from _list_section(
        "Certificates",
        [
            f"{each['serial']}  {each['template']}  until {_when(each['not_after'])}  {each['status']}"
            for each in story["certificates"]
        ],
    )
    yield from _list_section("Notifications", [_tell_message(each) for each in story["notifications"]])
    yield from _list_section("What happened", [_tell_event(each) for each in story["events"]])


def _tell_approval(approval: Mapping[str, Any]) -> str:
    lapsed = "" if approval["counts"] else "  (does not count: disabled, or may not approve any more)"
    return f"{_when(approval['at'])}  {approval['approver']}  {approval['comment']}".rstrip() + lapsed


def _describe_passwords(traced: TracedRequest) -> dict[str, Any] | None:
    if traced.password_state is None:
        return None
    handed_out = traced.passwords
    return {
        "state": traced.password_state.value,
        "distributions": [each.name.lower().replace("_", "-") for each in traced.policy.one_time_passwords.distributions],
        "distributed": None if handed_out is None else handed_out.distributed.isoformat(),
        "expires": None if handed_out is None else handed_out.expires.isoformat(),
        "tries_left": None if handed_out is None else handed_out.tries_left,
        "used": None if handed_out is None else _moment(handed_out.used),
    }


def _describe_certificate(certificate: Certificate, now: datetime) -> dict[str, Any]:
    is_signed = certificate.encoded is not None
    reason = certificate.revocation_reason
    return {
        "serial": format_serial_number(certificate.serial),
        "template": certificate.template_common_name,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "status": certificate.status(now).name.lower().replace("_", " ") if is_signed else "about to be signed",
        "thumbprint": certificate.thumbprint,
        "revoked": _moment(certificate.revoked_at),
        "reason": None if reason is None else reason.name.lower(),
    }


def _describe_event(event: StoredEvent) -> dict[str, Any]:
    if not isinstance(event, Event):
        return {"sequence": event.sequence, "type": "unreadable"}
    return {
        "sequence": event.sequence,
        "at": event.at.isoformat(),
        "type": event.type.value,
        "actor": event.actor,
        "source": event.source,
        "comment": event.comment,
        "details": dict(event.details),
    }


def _list_section(title: str, lines: list[str], *, is_shown: object = False) -> Iterator[str]:
    if lines or is_shown:
        yield ""
        yield title
        yield from (f"  {each}" for each in lines)


def _list_password_lines(passwords: Mapping[str, Any] | None) -> Iterator[str]:
    if passwords is None:
        return
    yield ""
    yield f"One-time passwords: {passwords['state']}"
    yield f"  {', '.join(passwords['distributions'])}"
    if passwords["distributed"]:
        until = f"valid until {_when(passwords['expires'])}, tries left: {passwords['tries_left']}"
        yield f"  distributed {_when(passwords['distributed'])}, {until}"
    if passwords["used"]:
        yield f"  used {_when(passwords['used'])}"


def _tell_message(message: Mapping[str, Any]) -> str:
    to = message["recipient"] or message["sink"]
    error = f": {message['error']}" if message["error"] else ""
    return f"{_when(message['at'])}  {message['type']} to {to}  {message['state']}{error}"


def _tell_event(event: Mapping[str, Any]) -> str:
    if "at" not in event:
        return f"{event['sequence']:>6}  cannot be read"
    details = "  ".join(f"{name}={value}" for name, value in event["details"].items() if value)
    comment = f'  "{event["comment"]}"' if event["comment"] else ""
    who = f"{event['actor']} from {event['source']}" if event["source"] != "program" else event["actor"]
    return f"{event['sequence']:>6}  {_when(event['at'])}  {event['type']}  {who}{comment}  {details}".rstrip()


def _line(label: str, value: object) -> str:
    return f"  {label:{LABEL_CHARACTERS}}{value}"


def _name(user_id: UserId, names: Names) -> str:
    return names.get(user_id, str(user_id))


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _when(text: str) -> str:
    """Return the moment as people read it, UTC like all of them."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"


def _or_nothing(value: str | None) -> str:
    return "(not answered)" if value is None else value
