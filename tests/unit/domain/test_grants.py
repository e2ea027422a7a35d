"""Looking up who holds which right on what."""

import pytest

from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.identities import EVERYONE
from worlds.contoso import ADMINISTRATOR, ADMINISTRATORS, AGENT, AGENTS, MANAGER, MANAGERS, SUBSCRIBER, SUBSCRIBER2, SUBSCRIBERS

TEMPLATE_NAME = "12bd5120-86a2-4ee1-8d05-131066871578"


def test_a_right_is_held_through_any_of_ones_sids() -> None:
    grants = Grants([Grant(ObjectKind.SERVICE, "", Right.AUDIT, each) for each in (AGENTS, MANAGER.user.sid)])
    assert grants.is_held(AGENT, Right.AUDIT, ObjectKind.SERVICE)
    assert grants.is_held(MANAGER, Right.AUDIT, ObjectKind.SERVICE)
    assert not grants.is_held(SUBSCRIBER, Right.AUDIT, ObjectKind.SERVICE)


def test_a_right_for_everyone_is_held_by_anybody() -> None:
    grants = Grants([Grant(ObjectKind.PROFILE_TEMPLATE, TEMPLATE_NAME, Right.READ, EVERYONE)])
    assert grants.is_held(SUBSCRIBER, Right.READ, ObjectKind.PROFILE_TEMPLATE, TEMPLATE_NAME)


@pytest.mark.parametrize(
    ("kind", "name", "right"),
    [
        (ObjectKind.PROFILE_TEMPLATE, TEMPLATE_NAME, Right.ENROLL),
        (ObjectKind.PROFILE_TEMPLATE, TEMPLATE_NAME.replace("1", "2"), Right.READ),
        (ObjectKind.CERTIFICATE_TEMPLATE, TEMPLATE_NAME, Right.READ),
    ],
)
def test_a_right_is_held_on_one_object_of_one_kind_only(kind: ObjectKind, name: str, right: Right) -> None:
    grants = Grants([Grant(ObjectKind.PROFILE_TEMPLATE, TEMPLATE_NAME, Right.READ, SUBSCRIBERS)])
    assert not grants.is_held(SUBSCRIBER, right, kind, name)


def test_names_of_objects_are_compared_without_their_case() -> None:
    grants = Grants([Grant(ObjectKind.CERTIFICATE_TEMPLATE, "ContosoUser", Right.ENROLL, SUBSCRIBERS)])
    assert grants.is_held(SUBSCRIBER, Right.ENROLL, ObjectKind.CERTIFICATE_TEMPLATE, "CONTOSOUSER")


def test_several_grants_of_one_right_add_up() -> None:
    grants = Grants(
        [Grant(ObjectKind.SERVICE, "", Right.ADMINISTER, each) for each in (ADMINISTRATORS, MANAGERS, ADMINISTRATORS)]
    )
    assert grants.find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER) == {ADMINISTRATORS, MANAGERS}
    assert grants.is_held(ADMINISTRATOR, Right.ADMINISTER, ObjectKind.SERVICE)


@pytest.mark.parametrize("over", [SUBSCRIBER.user.sid, SUBSCRIBERS, EVERYONE])
def test_a_right_over_somebody_is_written_on_him_on_his_group_or_on_everyone(over: str) -> None:
    grants = Grants([Grant(ObjectKind.PRINCIPAL, over, Right.REQUEST_ENROLL, MANAGERS)])
    assert grants.is_held_over(MANAGER, Right.REQUEST_ENROLL, SUBSCRIBER)
    assert not grants.is_held_over(AGENT, Right.REQUEST_ENROLL, SUBSCRIBER)
    assert not grants.is_held_over(MANAGER, Right.REQUEST_REVOKE, SUBSCRIBER)


def test_a_right_over_one_person_is_none_over_another() -> None:
    grants = Grants([Grant(ObjectKind.PRINCIPAL, SUBSCRIBER.user.sid, Right.REQUEST_ENROLL, MANAGERS)])
    assert not grants.is_held_over(MANAGER, Right.REQUEST_ENROLL, SUBSCRIBER2)
