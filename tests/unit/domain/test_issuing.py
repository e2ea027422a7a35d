"""From a draft to what may be signed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.domain.certificates import KeyHolder
from certwright.domain.errors import (
    EscalationPath,
    HashRefused,
    KeyOfSomebodyElse,
    KeyTooSmall,
    KeyWeak,
    NameRefused,
    Refused,
    RulesBroken,
    SignatureInvalid,
    ValidityRefused,
)
from certwright.domain.identities import UserId
from certwright.domain.issuing import CLOCK_TOLERANCE, Cleared, Draft, Issuer, clear
from certwright.domain.profile_templates import ANY_EXTENDED_KEY_USAGE, AlternativeName, SubjectSource
from certwright.domain.public_keys import HashAlgorithm
from worlds.contoso import (
    CERTIFICATE_REQUEST,
    CERTIFICATE_TEMPLATE,
    ISSUER,
    NOW,
    RSA_KEY,
    SUBSCRIBER,
    SUBSCRIBER2,
    draft_of,
)

SECOND = timedelta(seconds=1)
USER = SUBSCRIBER.user


def clear_it(draft: Draft, *, issuer: Issuer = ISSUER, holder: UserId | None = None) -> Cleared:
    return clear(draft, subject=USER, issuer=issuer, key_holder=None if holder is None else KeyHolder(holder))


# -- what a draft says -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (SubjectSource.DISTINGUISHED_NAME, "CN=subscriber,OU=People,DC=corp,DC=contoso,DC=com"),
        (SubjectSource.COMMON_NAME, "CN=Subscriber"),
        (SubjectSource.NONE, ""),
        (SubjectSource.REQUEST, "CN=whoever I say"),
    ],
)
def test_the_subject_comes_from_where_the_template_says(source: SubjectSource, wanted: str) -> None:
    request = replace(CERTIFICATE_REQUEST, subject="CN=whoever I say")
    assert draft_of(replace(CERTIFICATE_TEMPLATE, subject=source), request).subject == wanted


def test_a_display_name_is_escaped() -> None:
    user = replace(USER, display_name="Smith, John+CN=administrator")
    template = replace(CERTIFICATE_TEMPLATE, subject=SubjectSource.COMMON_NAME)
    assert draft_of(template, subject=user).subject == r"CN=Smith\, John\+CN\=administrator"


def test_no_display_name_is_no_subject() -> None:
    template = replace(CERTIFICATE_TEMPLATE, subject=SubjectSource.COMMON_NAME)
    assert draft_of(template, subject=replace(USER, display_name="")).subject == ""


def test_alternative_names_are_the_directorys_in_the_templates_order_never_the_clients() -> None:
    request = replace(CERTIFICATE_REQUEST, subject="CN=administrator")
    template = replace(CERTIFICATE_TEMPLATE, alternative_names=(AlternativeName.EMAIL, AlternativeName.PRINCIPAL_NAME))
    assert draft_of(template, request).alternative_names == (
        (AlternativeName.EMAIL, "subscriber@contoso.com"),
        (AlternativeName.PRINCIPAL_NAME, "subscriber@corp.contoso.com"),
    )


def test_the_security_identifier_is_the_subjects_where_the_template_has_one() -> None:
    assert draft_of().security_identifier == USER.sid
    assert draft_of(replace(CERTIFICATE_TEMPLATE, include_security_identifier=False)).security_identifier is None


def test_validity_begins_a_little_earlier_for_clocks_that_lag_and_lasts_as_the_template_says() -> None:
    draft = draft_of()
    assert draft.not_before == (NOW - CLOCK_TOLERANCE).replace(microsecond=0)
    assert draft.not_after == (NOW + CERTIFICATE_TEMPLATE.validity).replace(microsecond=0)


def test_validity_stays_within_the_issuers() -> None:
    young = replace(ISSUER, not_before=NOW.replace(microsecond=0) - SECOND, not_after=NOW.replace(microsecond=0) + SECOND)
    draft = draft_of(issuer=young)
    assert (draft.not_before, draft.not_after) == (young.not_before, young.not_after)
    assert clear_it(draft, issuer=young).draft is draft


# -- what is cleared ------------------------------------------------------------------------------------------------------


def test_a_draft_that_breaks_no_rule_is_cleared_as_it_is() -> None:
    draft = draft_of()
    assert clear_it(draft).draft is draft


BROKEN = {
    SignatureInvalid: draft_of(request=replace(CERTIFICATE_REQUEST, is_proven=False)),
    HashRefused: draft_of(request=replace(CERTIFICATE_REQUEST, signature_hash=HashAlgorithm.SHA1)),
    KeyTooSmall: draft_of(request=replace(CERTIFICATE_REQUEST, public_key=replace(RSA_KEY, bits=1024))),
    KeyWeak: draft_of(request=replace(CERTIFICATE_REQUEST, public_key=replace(RSA_KEY, exponent=3))),
    NameRefused: draft_of(subject=replace(USER, principal_name="")),
    EscalationPath: draft_of(replace(CERTIFICATE_TEMPLATE, extended_key_usages=(ANY_EXTENDED_KEY_USAGE,))),
    ValidityRefused: draft_of(replace(CERTIFICATE_TEMPLATE, validity=-2 * CLOCK_TOLERANCE)),
}


@pytest.mark.parametrize(("error", "draft"), BROKEN.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_draft_that_breaks_one_rule_is_refused_with_that_rule(error: type[Refused], draft: Draft) -> None:
    with pytest.raises(error):
        clear_it(draft)


def test_a_key_that_somebody_else_holds_is_refused() -> None:
    with pytest.raises(KeyOfSomebodyElse):
        clear_it(draft_of(), holder=SUBSCRIBER2.user.id)


def test_a_key_that_the_subject_holds_already_is_taken() -> None:
    assert clear_it(draft_of(), holder=USER.id)


def test_a_modulus_is_looked_at_only_where_nothing_else_is_wrong() -> None:
    looks = []

    def look() -> bool:
        looks.append(1)
        return True

    small = draft_of(CERTIFICATE_TEMPLATE, replace(CERTIFICATE_REQUEST, public_key=replace(RSA_KEY, exponent=3)))
    with pytest.raises(KeyWeak, match="exponent"):
        clear(small, subject=USER, issuer=ISSUER, key_holder=None, is_prime_or_power=look)
    assert looks == []
    with pytest.raises(KeyWeak, match="prime"):
        clear(draft_of(CERTIFICATE_TEMPLATE), subject=USER, issuer=ISSUER, key_holder=None, is_prime_or_power=look)
    assert looks == [1]


def test_an_issuer_at_its_end_issues_nothing() -> None:
    ended = replace(ISSUER, not_after=NOW - timedelta(days=1))
    with pytest.raises(ValidityRefused):
        clear_it(draft_of(issuer=ended), issuer=ended)


def test_a_draft_made_for_another_issuer_does_not_outlive_this_one() -> None:
    with pytest.raises(ValidityRefused):
        clear_it(draft_of(), issuer=replace(ISSUER, not_after=NOW + timedelta(days=2)))


def test_every_broken_rule_is_reported_at_once() -> None:
    request = replace(
        CERTIFICATE_REQUEST,
        is_proven=False,
        signature_hash=HashAlgorithm.SHA1,
        public_key=replace(RSA_KEY, bits=1024, exponent=3),
    )
    template = replace(CERTIFICATE_TEMPLATE, extended_key_usages=(ANY_EXTENDED_KEY_USAGE,), validity=-2 * CLOCK_TOLERANCE)
    with pytest.raises(RulesBroken) as refused:
        clear_it(draft_of(template, request, replace(USER, principal_name="")), holder=SUBSCRIBER2.user.id)
    assert {type(each) for each in refused.value.broken} == {*BROKEN, KeyOfSomebodyElse}
    assert all(each.text in refused.value.text for each in refused.value.broken)
