"""Policies as the API answers them, kind by kind."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from certwright.domain.data_items import DataItemDefinition, DataItemType
from certwright.domain.policies import CardEnding, PolicyDocument, TemporaryCards
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.wire.rest.policy_bodies import PolicyBody
from worlds.contoso import POLICY

CARD_ENDING = ["BlockAdminPin", "BlockUserPin", "EraseCard", "ResetAdminPin", "ResetUserPin"]
FULL = replace(
    POLICY,
    documents=(PolicyDocument(name="Receipt", template="receipt.docx", recipient="owner"),),
    data_items=(
        DataItemDefinition(name="Badge", type=DataItemType.NUMBER, pattern="[0-9]{4}", sensitive=True),
        DataItemDefinition(name="Reason"),
    ),
    maximum_duplicates=2,
    card_ending=CardEnding(block_admin_pin=True),
    temporary_cards=TemporaryCards(maximum_issued=3),
)


def answer(workflow: RequestType) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(msgspec.json.encode(PolicyBody.of(FULL, workflow)))
    return body


@pytest.mark.parametrize(
    ("workflow", "extras"),
    [
        (
            RequestType.RENEW,
            {
                "ReuseSmartcard",
                "RevocationSettings",
                "RevocationSettingsForDuplicates",
                "RenewalNotification",
            },
        ),
        (RequestType.DUPLICATE, {"MaximumDuplicates"}),
        (RequestType.ONLINE_UPDATE, {"AllowSpecifyCertificateTemplate", "RevocationSettingsForContentChange"}),
        (RequestType.SUSPEND_OR_REINSTATE, {"AllowSuspend", "RevocationSettings"}),
        (RequestType.RECOVER_ON_BEHALF, set()),
        (RequestType.OFFLINE_UNBLOCK, set()),
        (RequestType.RETIRE, {"RevocationSettings", *CARD_ENDING}),
        (
            RequestType.TEMPORARY_CARD_ENROLL,
            {
                "RevocationSettings",
                *CARD_ENDING,
                "AllowKioskRetirement",
                "AutoenrollEnabled",
                "MaximumIssued",
                "ValidityPeriod",
            },
        ),
    ],
)
def test_each_kind_of_policy_has_its_own_properties(workflow: RequestType, extras: set[str]) -> None:
    assert answer(workflow).keys() - answer(RequestType.UNBLOCK).keys() == extras


CHOSEN = RevocationSettings(
    reason=RevocationReason.KEY_COMPROMISE, delay=timedelta(days=1), publish_base_crl=True, allow_specify_reason=True
)
CONFIGURED = {"Reason": 1, "EffectiveRevocationDelay": "1.00:00:00", "AllowSpecifyReason": True, "PublishBaseCrl": True}


@pytest.mark.parametrize(
    ("workflow", "name", "revokes", "disables", "fixed"),
    [
        (RequestType.DISABLE, "RevocationSettings", True, True, {}),
        (RequestType.RETIRE, "RevocationSettings", True, True, {}),
        (RequestType.TEMPORARY_CARD_RETIRE, "RevocationSettings", True, True, {}),
        (RequestType.TEMPORARY_CARD_DISABLE, "RevocationSettings", True, True, {}),
        (RequestType.RENEW, "RevocationSettings", False, False, {}),
        (RequestType.RECOVER, "RevocationSettings", False, False, {}),
        (RequestType.ONLINE_UPDATE, "RevocationSettingsForContentChange", True, False, {}),
        (
            RequestType.SUSPEND_OR_REINSTATE,
            "RevocationSettings",
            True,
            False,
            {"Reason": 6, "EffectiveRevocationDelay": "00:00:00", "AllowSpecifyReason": False},
        ),
    ],
)
def test_revocation_settings_say_what_is_done(
    workflow: RequestType, name: str, revokes: bool, disables: bool, fixed: dict[str, Any]
) -> None:
    body = json.loads(msgspec.json.encode(PolicyBody.of(replace(FULL, revocation=CHOSEN), workflow)))[name]
    wanted = {**CONFIGURED, **fixed, "RevokeOldCertificates": revokes, "DisableOldCardOrProfile": disables}
    assert {key: body[key] for key in wanted} == wanted
    assert body.keys() - wanted.keys() == {"AllowSpecifyDelay", "PublishDeltaCrl"}


def test_settings_are_answered_as_they_are() -> None:
    assert answer(RequestType.DUPLICATE)["MaximumDuplicates"] == 2
    assert (answer(RequestType.RETIRE)["BlockAdminPin"], answer(RequestType.RETIRE)["EraseCard"]) == (True, False)
    temporary = answer(RequestType.TEMPORARY_CARD_ENROLL)
    assert (temporary["MaximumIssued"], temporary["ValidityPeriod"]) == (3, "1.00:00:00")
    assert answer(RequestType.RENEW)["RenewalNotification"] == {"Enabled": False, "RenewalPeriod": "30.00:00:00"}
    assert answer(RequestType.ENROLL)["Documents"] == [{"Name": "Receipt", "Template": "receipt.docx", "Recipient": "owner"}]


def test_data_items_say_their_type_how_they_are_checked_and_how_they_are_kept() -> None:
    badge, reason = answer(RequestType.ENROLL)["DataCollection"]
    assert (badge["Type"], badge["Storage"]) == ("Number", "Encrypted")
    assert badge["Validation"] == {"ValidationType": "RegularExpression", "ValidationData": "[0-9]{4}"}
    assert (reason["Type"], reason["Storage"], reason["Validation"]["ValidationType"]) == ("String", "None", "None")
