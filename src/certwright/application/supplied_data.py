"""Whether the data items of a request are in, and what they say for its execution."""

from certwright.application.request_parties import SeenRequest
from certwright.domain.data_items import DataItemOriginator, list_missing
from certwright.domain.errors import DataIncomplete, ValidationDataRequired
from certwright.domain.profile_templates import CertificateTemplate, SubjectSource
from certwright.domain.public_keys import CertificateRequest
from certwright.domain.requests import Request
from certwright.domain.rules.named_subjects import SUBJECT_ITEM
from certwright.formats.names import encode_name


def check_data_complete(seen: SeenRequest) -> None:
    """Raise unless every required item is answered: a request is not executed before. Errors: DataIncomplete."""
    missing = list_missing(seen.policy.data_items, seen.request.data, sides=frozenset(DataItemOriginator))
    if missing:
        raise DataIncomplete(", ".join(each.item for each in missing if isinstance(each, ValidationDataRequired)))


def find_approved_subject(template: CertificateTemplate, request: Request, posted: CertificateRequest) -> str | None:
    """Return the subject that was approved for the client to name, in the words of *posted* where that names the same.

    Errors: NameRefused when it is no name.
    """
    if template.subject is not SubjectSource.REQUEST:
        return None
    approved = next((each.value for each in request.data if each.name == SUBJECT_ITEM), None)
    if not approved or encode_name(approved) != encode_name(posted.subject):
        return approved or None
    return posted.subject
