"""The mails that are sent where a policy has no template of its own. Source: the words are ours."""

from collections.abc import Mapping
from typing import Any

from certwright.domain.notifications import MailTemplate, NotificationType

_ABOUT = "{{ request.operation }} · {{ profile_template.name }} · {{ subject.name }}"
_TEXT_END = """
For:       {{ subject.name }} ({{ subject.account }})
Asked by:  {{ originator.name }} ({{ originator.account }})
What:      {{ request.operation }}, {{ profile_template.name }}
Request:   {{ request.id }}
{% if comment %}
Comment:   {{ comment }}
{% endif %}
"""
_HTML_BEGIN = '<!DOCTYPE html>\n<html lang="en"><body style="font-family: sans-serif">\n'
_HTML_END = """<table cellpadding="4">
<tr><th align="left">For</th><td>{{ subject.name }} ({{ subject.account }})</td></tr>
<tr><th align="left">Asked by</th><td>{{ originator.name }} ({{ originator.account }})</td></tr>
<tr><th align="left">What</th><td>{{ request.operation }}, {{ profile_template.name }}</td></tr>
<tr><th align="left">Request</th><td>{{ request.id }}</td></tr>
{% if comment %}
<tr><th align="left">Comment</th><td>{{ comment }}</td></tr>
{% endif %}
</table>
</body></html>
"""


def _write(title: str, sentence: str) -> MailTemplate:
    """Return a mail of one sentence and the facts about the request."""
    return MailTemplate(
        subject=f"{title}: {_ABOUT}",
        text=f"{sentence}\n{_TEXT_END}",
        html=f"{_HTML_BEGIN}<p>{sentence}</p>\n{_HTML_END}",
    )


_PASSWORDS = """{% for each in secrets %}
    {{ each }}
{% endfor %}

"""
_PASSWORDS_HTML = """<ul>
{% for each in secrets %}
<li><code>{{ each }}</code></li>
{% endfor %}
</ul>
"""
_FOR_PASSWORDS = "You need the following to complete the request. Tell it to nobody; nobody will ask you for it."
_FOR_RENEWAL = "A certificate ends soon. A request that renews it is open: please complete it."
_FOR_OTHERS = "One-time passwords were handed out for the request."


def _choose(passwords: str, renewal: str, others: str) -> str:
    """Return the part of a mail that depends on what the notice is: the secrets themselves, or a word that there are some."""
    otherwise = f"{{% elif details.operation is defined %}}{renewal}{{% else %}}{others}{{% endif %}}"
    return f"{{% if secrets is defined %}}{passwords}{otherwise}"


BUILT_IN_MAILS: Mapping[NotificationType, MailTemplate] = {
    NotificationType.CREATE_REQUEST: _write(
        "Request opened",
        "{{ actor }} has opened a request.{{ ' It waits for approval.' if request.status == 'pending' else '' }}",
    ),
    NotificationType.APPROVE_REQUEST: _write(
        "Request approved", "{{ actor }} has approved the request: approval {{ details.approvals }}."
    ),
    NotificationType.DENY_REQUEST: _write("Request denied", "{{ actor }} has denied the request."),
    NotificationType.CANCEL_REQUEST: _write("Request canceled", "{{ actor }} has canceled the request."),
    NotificationType.MARK_REQUEST_AS_FAILED: _write("Request failed", "{{ actor }} has marked the request as failed."),
    NotificationType.COMPLETE_REQUEST: _write("Request completed", "The request is completed."),
    NotificationType.INSTALL_CERTIFICATE: _write(
        "Certificate issued", "A certificate was issued: {{ details.template }}, serial number {{ details.serial }}."
    ),
    NotificationType.CERTIFICATE_ENDS: _write(
        "Certificate ends soon",
        "A certificate of another authority ends at {{ details.ends }}: serial number {{ details.serial }}, "
        "{{ details.authority }}. Its issuer renews it.",
    ),
    NotificationType.DOWNLOAD_PFX: _write(
        "Key handed out", "A key and its certificate were handed out as a PFX file: serial number {{ details.serial }}."
    ),
    NotificationType.CREATE_PROFILE: _write("Certificates ready", "A new profile is ready to be used."),
    NotificationType.CREATE_SMARTCARD: _write("Smart card assigned", "A smart card was assigned: {{ details.card }}."),
    NotificationType.DISABLE_PROFILE: _write("Certificates disabled", "A profile was disabled: its certificates are revoked."),
    NotificationType.DISABLE_SMARTCARD: _write("Smart card disabled", "A smart card was disabled: {{ details.card }}."),
    NotificationType.DISTRIBUTE_SECRETS: MailTemplate(
        subject=f"{_choose('One-time password', 'Certificate ends soon', 'One-time passwords handed out')}: {_ABOUT}",
        text=_choose(f"{_FOR_PASSWORDS}\n\n{_PASSWORDS}", f"{_FOR_RENEWAL}\n\n", f"{_FOR_OTHERS}\n\n") + _TEXT_END.lstrip(),
        html=_HTML_BEGIN
        + _choose(f"<p>{_FOR_PASSWORDS}</p>\n{_PASSWORDS_HTML}", f"<p>{_FOR_RENEWAL}</p>\n", f"<p>{_FOR_OTHERS}</p>\n")
        + _HTML_END,
    ),
}

_SAMPLE_PERSON = {
    "id": "00000000-0000-0000-0000-000000000001",
    "account": "CORP\\sample",
    "name": "Sam Sample <sample & co>",
    "email": "sample@example.com",
}
_SAMPLE_DETAILS: Mapping[NotificationType, Mapping[str, str]] = {
    NotificationType.CREATE_REQUEST: {"template": "Sample Template", "type": "ENROLL", "operation": "enroll"},
    NotificationType.APPROVE_REQUEST: {"approvals": "1 of 2"},
    NotificationType.INSTALL_CERTIFICATE: {"serial": "2A", "template": "SampleUser", "thumbprint": "00" * 20},
    NotificationType.CREATE_PROFILE: {"profile": "00000000-0000-0000-0000-000000000002", "status": "NEW to ACTIVE"},
    NotificationType.CERTIFICATE_ENDS: {
        "serial": "2A",
        "thumbprint": "00" * 20,
        "authority": "CN=Elsewhere",
        "ends": "2026-02-28T12:00:00+00:00",
    },
    NotificationType.DOWNLOAD_PFX: {"serial": "2A", "template": "SampleUser"},
    NotificationType.CREATE_SMARTCARD: {"smartcard": "00000000-0000-0000-0000-000000000005", "card": "CARD-1", "atr": "3B00"},
    NotificationType.DISABLE_PROFILE: {"profile": "00000000-0000-0000-0000-000000000002", "status": "ACTIVE to DISABLED"},
    NotificationType.DISABLE_SMARTCARD: {
        "smartcard": "00000000-0000-0000-0000-000000000005",
        "card": "CARD-1",
        "status": "ACTIVE to DISABLED",
    },
}


def make_sample_facts(kind: NotificationType) -> dict[str, Any]:
    """Return facts such as a notice of *kind* has; with characters that HTML has to escape."""
    facts: dict[str, Any] = {
        "type": kind.value,
        "at": "2026-01-31T12:00:00+00:00",
        "actor": "CORP\\manager",
        "comment": "A comment with <b>marks</b> & signs",
        "request": {
            "id": "00000000-0000-0000-0000-000000000003",
            "operation": "enroll",
            "status": "pending",
            "submitted": "2026-01-31T12:00:00+00:00",
            "comment": "",
        },
        "profile_template": {"id": "00000000-0000-0000-0000-000000000004", "name": "Sample Template"},
        "subject": dict(_SAMPLE_PERSON),
        "originator": {**_SAMPLE_PERSON, "account": "CORP\\manager", "name": "Mary Manager"},
        "details": dict(_SAMPLE_DETAILS.get(kind, {})),
    }
    return facts | ({"secrets": ["SAMPLE-PASSWORD"]} if kind is NotificationType.DISTRIBUTE_SECRETS else {})
