import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest

from certwright.application.places import Delivered
from certwright.application.read_holdings import HeldProfile
from certwright.application.request_parties import SeenRequest
from certwright.domain.certificates import Certificate, SerialNumber
from certwright.domain.data_items import DataItemDefinition
from certwright.domain.errors import KeyTooSmall, RulesBroken, SignatureInvalid
from certwright.domain.grants import Grants
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.requests import DataCollectionFlags, Request, RequestFlags, RequestId, RequestStatus
from certwright.domain.security_descriptors import SERVICE_SID, SecurityDescriptor
from certwright.domain.smartcard_configuration import SmartcardConfiguration
from certwright.domain.workflows import Operation
from certwright.wire.rest.bodies import (
    DeliveredBody,
    GenerationOptionsBody,
    HeldCertificateBody,
    OwnCertificateBody,
    ProfileBody,
    ProfileTemplateView,
    RequestBody,
    format_base64,
    format_moment,
)
from certwright.wire.rest.policy_bodies import PolicyBody, format_delay
from certwright.wire.rest.smartcard_bodies import SmartcardConfigurationBody
from worlds.contoso import CERTIFICATE_TEMPLATE, NOW, POLICY, SUBSCRIBER, TEMPLATE, VECTORS

EXAMPLES = json.loads((VECTORS / "rest_examples.json").read_text())

REQUEST = Request(
    id=RequestId(UUID(int=1)),
    operation=Operation.ENROLL,
    status=RequestStatus.APPROVED,
    flags=RequestFlags.SMARTCARD,
    template_id=TEMPLATE.id,
    template_version=1,
    originator_id=SUBSCRIBER.user.id,
    target_id=SUBSCRIBER.user.id,
    submitted=NOW,
    data_flags=DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED,
)
ASKING = replace(TEMPLATE, policies={RequestType.ENROLL: replace(POLICY, data_items=(DataItemDefinition(name="Reason"),))})
SEEN = SeenRequest(REQUEST, ASKING, SUBSCRIBER, SecurityDescriptor(SERVICE_SID, ()), Grants([]))
PROFILE = Profile(
    id=ProfileId(UUID(int=2)),
    status=ProfileStatus.ACTIVE,
    flags=ProfileFlags.PRIMARY,
    owner_id=SUBSCRIBER.user.id,
    template_id=TEMPLATE.id,
    template_version=8,
)
CERTIFICATE = Certificate(
    serial=SerialNumber(0xABC),
    request_id=REQUEST.id,
    place=0,
    profile_id=PROFILE.id,
    subject_id=SUBSCRIBER.user.id,
    requester_name=SUBSCRIBER.user.nt4_name,
    template_common_name="ContosoUser",
    authority_name="ca.corp.contoso.com\\Contoso Issuing CA",
    not_before=NOW.replace(microsecond=0),
    not_after=NOW.replace(microsecond=0) + timedelta(days=365),
    request_digest=b"",
    key_digest=b"",
    to_be_signed=None,
    encoded=b"DER",
    thumbprint="A" * 40,
)
CARD = SmartcardConfiguration(
    is_virtual=True,
    provider_name="Contoso Smart Card Base CSP",
    provider_id="ContosoCSP",
    diversify_admin_key=True,
    initialization_type="Microsoft.Clm.Custom.BusinessLayer.HSMCardInitialization,HSMCardInitialization",
)


def as_json(body: object) -> Any:
    return json.loads(msgspec.json.encode(body))


def example_of(page: str, index: int = 0) -> Any:
    """Return the first object of a documented answer."""
    answer = [each["response"] for each in EXAMPLES if each["page"] == page][index]
    return answer[0] if isinstance(answer, list) else answer


def shape_of(value: Any) -> Any:
    """Return names, order and types; null stands for any type."""
    if isinstance(value, dict):
        return [(name, shape_of(each)) for name, each in value.items()]
    return "list" if isinstance(value, list) else type(value).__name__


DELIVERED = Delivered(template_common_name=CERTIFICATE_TEMPLATE.common_name, response=b"response")


@pytest.mark.parametrize(
    ("page", "body"),
    [
        ("get-request", RequestBody.of(SEEN)),
        ("cancel-abandon-complete-request", RequestBody.of(SEEN)),
        ("get-profile-data", ProfileBody.of(HeldProfile(PROFILE, (Operation.RENEW, Operation.DISABLE)))),
        ("get-profile-templates", ProfileTemplateView.of(TEMPLATE)),
        ("get-certificate-request-generation-options", GenerationOptionsBody.of(CERTIFICATE_TEMPLATE)),
        ("get-certificate-responses", DeliveredBody.of(DELIVERED)),
        ("get-smartcard-profile-certificates", HeldCertificateBody.of(CERTIFICATE)),
        ("get-user-certificates", OwnCertificateBody.at(CERTIFICATE, NOW)),
        ("get-smartcard-policy (2016 original)", SmartcardConfigurationBody.of(CARD)),
    ],
)
def test_names_order_and_types_are_those_of_the_documentation(page: str, body: object) -> None:
    assert shape_of(as_json(body)) == shape_of(example_of(page))


def test_the_documented_card_configuration_is_answered_value_by_value() -> None:
    assert as_json(SmartcardConfigurationBody.of(CARD)) == example_of("get-smartcard-policy (2016 original)")


def test_an_open_request_has_never_been_completed() -> None:
    body = as_json(RequestBody.of(SEEN))
    assert body["Completed"] == "0001-01-01T00:00:00"
    assert body["NewProfileUuid"] == "00000000-0000-0000-0000-000000000000"
    assert body["DataCollection"] == [{"Name": "Reason", "Value": None}]
    assert (body["IsSmartcard"], body["IsEnrollmentAgent"], body["IsDataCollectionComplete"]) == (True, False, False)


def test_a_completed_request_says_when() -> None:
    done = replace(REQUEST, status=RequestStatus.COMPLETED, completed=NOW, profile_id=PROFILE.id)
    body = as_json(RequestBody.of(replace(SEEN, request=done)))
    assert (body["Status"], body["Completed"]) == (8, "2026-11-23T12:30:15.25Z")
    assert body["NewProfileUuid"] == str(PROFILE.id)


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [(930_000, ".93"), (767_000, ".767"), (0, ""), (100_000, ".1"), (1_000, ".001"), (999, "")],
)
def test_a_moment_has_as_much_of_its_fraction_as_it_needs(microsecond: int, text: str) -> None:
    moment = datetime(2015, 7, 7, 23, 36, 20, microsecond, tzinfo=UTC)
    assert format_moment(moment) == f"2015-07-07T23:36:20{text}Z"


def test_a_moment_elsewhere_is_told_in_universal_time() -> None:
    assert format_moment(datetime(2015, 7, 8, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == "2015-07-07T23:00:00Z"


@pytest.mark.parametrize("length", [1, 47, 48, 49, 1_000])
def test_base64_comes_in_lines_of_64_that_all_end(length: int) -> None:
    text = format_base64(b"x" * length)
    *lines, rest = text.split("\r\n")
    assert rest == ""
    assert all(len(line) == 64 for line in lines[:-1])
    assert 0 < len(lines[-1]) <= 64
    assert base64.b64decode(text) == b"x" * length


def test_the_documented_base64_is_written_octet_by_octet() -> None:
    documented = example_of("get-certificate-responses")["Pkcs7"]
    assert format_base64(base64.b64decode(documented)) == documented


def test_a_certificate_that_was_refused_has_an_error_and_no_blob() -> None:
    refused = SignatureInvalid()
    body = as_json(DeliveredBody.of(Delivered(template_common_name="ContosoUser", error=refused)))
    assert body["Error"] == {"Message": refused.text, "ErrorCode": "signature-invalid"}
    assert (body["Pkcs7"], body["isPkcs7"], body["Flags"]) == (None, False, 0)


def test_the_error_of_a_certificate_lists_every_broken_rule() -> None:
    refused = RulesBroken((SignatureInvalid(), KeyTooSmall(given_bits=1024, wanted_bits=2048)))
    body = as_json(DeliveredBody.of(Delivered(template_common_name="ContosoUser", error=refused)))
    assert list(body["Error"]) == ["Message", "ErrorCode", "Errors"]
    assert [each["ErrorCode"] for each in body["Error"]["Errors"]] == ["signature-invalid", "key-too-small"]


def test_a_delivered_certificate_has_a_blob_and_no_error() -> None:
    body = as_json(DeliveredBody.of(DELIVERED))
    assert (body["Error"], body["isPkcs7"], body["Flags"], body["CertificateId"]) == (None, True, 65536, 0)


def test_times_of_certificates_have_no_zone() -> None:
    body = as_json(OwnCertificateBody.at(CERTIFICATE, NOW))
    assert (body["NotBefore"], body["SerialNumber"]) == ("2026-11-23T12:30:15", "0ABC")


def test_a_policy_names_what_it_collects_under_both_names() -> None:
    policy = replace(POLICY, data_items=(DataItemDefinition(name="Request Reason", required=True),))
    body = as_json(PolicyBody.of(policy, RequestType.ENROLL))
    assert body["PolicyDataCollection"] == body["DataCollection"]
    assert (body["DataCollection"][0]["Name"], body["DataCollection"][0]["Originator"]) == ("Request Reason", "Subscriber")


def test_a_policy_says_who_may_approve() -> None:
    body = as_json(PolicyBody.of(POLICY, RequestType.ENROLL))
    (approvers,) = POLICY.approvers
    assert body["AuthorizedApprover"]["SecurityDescriptor"] == f"O:SYD:(A;;LC;;;{approvers})\0"


@pytest.mark.parametrize(
    ("workflow", "extras"),
    [
        (RequestType.ENROLL, ["MaximumActiveProfiles"]),
        (RequestType.UNBLOCK, []),
        (RequestType.DISABLE, ["RevocationSettings"]),
        (RequestType.RECOVER, ["ReissueArchivedCertificates", "RevocationSettings", "RevocationSettingsForDuplicates"]),
    ],
)
def test_each_kind_of_policy_has_its_own_properties(workflow: RequestType, extras: list[str]) -> None:
    names = list(as_json(PolicyBody.of(POLICY, workflow)))
    assert names[names.index("SelfServiceEnabled") + 1 :] == extras


@pytest.mark.parametrize(
    ("delay", "text"),
    [(timedelta(), "00:00:00"), (timedelta(hours=1, minutes=2, seconds=3), "01:02:03"), (timedelta(days=30), "30.00:00:00")],
)
def test_a_delay_is_written_as_the_product_does(delay: timedelta, text: str) -> None:
    assert format_delay(delay) == text
