"""What profile templates and certificate templates say about themselves."""

from dataclasses import replace

import pytest

from certwright.domain.errors import PolicyMissing
from certwright.domain.events import EventType, tell
from certwright.domain.profile_templates import KeyUsages, X509KeyUsage
from certwright.domain.request_types import RequestType
from certwright.domain.smartcard_configuration import SmartcardConfiguration
from worlds.contoso import (
    CERTIFICATE_REQUEST,
    CERTIFICATE_TEMPLATE,
    NOW,
    P256_KEY,
    POLICY,
    RSA_KEY,
    SUBSCRIBER,
    TEMPLATE,
    caller,
)

SIGNATURE, COMMITMENT = X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.CONTENT_COMMITMENT
ENCIPHERMENT, AGREEMENT = X509KeyUsage.KEY_ENCIPHERMENT, X509KeyUsage.KEY_AGREEMENT


@pytest.mark.parametrize(
    ("usages", "number"),
    [
        ({SIGNATURE, ENCIPHERMENT}, 3),
        ({SIGNATURE}, 2),
        ({COMMITMENT}, 2),
        ({SIGNATURE, COMMITMENT}, 2),
        ({ENCIPHERMENT}, 1),
        ({AGREEMENT}, 4),
        ({SIGNATURE, AGREEMENT}, 6),
        (set(), 0),
    ],
    ids=lambda each: " ".join(sorted(usage.value for usage in each)) if isinstance(each, set) else "",
)
def test_generation_usages_are_the_numbers_of_the_wire(usages: set[X509KeyUsage], number: int) -> None:
    assert replace(CERTIFICATE_TEMPLATE, key_usages=frozenset(usages)).generation_usages == KeyUsages(number)


def test_a_template_has_the_policies_that_it_has() -> None:
    assert TEMPLATE.get_policy(RequestType.ENROLL) is POLICY
    with pytest.raises(PolicyMissing) as missing:
        TEMPLATE.get_policy(RequestType.ONLINE_UPDATE)
    assert missing.value.text == "The profile template Software Certificate takes no online update requests."


def test_cards_are_real_or_virtual() -> None:
    kinds = [
        replace(TEMPLATE, smartcard=each) for each in (None, SmartcardConfiguration(), SmartcardConfiguration(is_virtual=True))
    ]
    assert [each.is_smartcard for each in kinds] == [False, True, True]
    assert [each.is_virtual_smartcard for each in kinds] == [False, False, True]


def test_keys_and_requests_are_recognised_by_their_digests() -> None:
    assert RSA_KEY.digest == replace(RSA_KEY, name="another name").digest
    assert RSA_KEY.digest != P256_KEY.digest
    assert CERTIFICATE_REQUEST.digest != replace(CERTIFICATE_REQUEST, encoded=b"another").digest
    assert len(RSA_KEY.digest) == len(CERTIFICATE_REQUEST.digest) == 32


def test_an_event_tells_who_did_it_and_from_where() -> None:
    event = tell(EventType.REQUEST_CREATED, caller(SUBSCRIBER), NOW, comment="words", template="VPN")
    assert (event.actor, event.actor_id, event.source) == ("CORP\\subscriber", SUBSCRIBER.user.id, "192.0.2.7")
    assert (event.at, event.comment, event.details) == (NOW, "words", {"template": "VPN"})
