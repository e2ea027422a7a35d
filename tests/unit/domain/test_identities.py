"""People, and the groups that they are in through other groups."""

from uuid import UUID

from certwright.domain.identities import EVERYONE, Group, GroupId, Sid, expand_groups
from worlds.contoso import SUBSCRIBER, sid

ME = SUBSCRIBER.user.sid


def group(number: int, *members: Sid) -> Group:
    return Group(id=GroupId(UUID(int=number)), sid=sid(number), name=f"group {number}", members=frozenset(members))


def test_somebody_without_groups_is_himself_and_everyone() -> None:
    assert expand_groups(ME, frozenset()) == {ME, EVERYONE}


def test_a_group_counts_for_its_members_only() -> None:
    groups = frozenset({group(1, ME), group(2, sid(999)), group(3)})
    assert expand_groups(ME, groups) == {ME, sid(1), EVERYONE}


def test_groups_within_groups_count_however_deep() -> None:
    chain = [group(1, ME), *[group(number, sid(number - 1)) for number in range(2, 60)]]
    assert expand_groups(ME, frozenset(chain)) == {ME, EVERYONE, *[each.sid for each in chain]}


def test_a_ring_of_groups_ends_the_walk() -> None:
    ring = frozenset({group(1, ME, sid(3)), group(2, sid(1)), group(3, sid(2)), group(4, sid(4))})
    assert expand_groups(ME, ring) == {ME, sid(1), sid(2), sid(3), EVERYONE}


def test_membership_does_not_go_downwards() -> None:
    groups = frozenset({group(1, sid(2)), group(2, ME), group(3, sid(1))})
    assert expand_groups(sid(1), groups) == {sid(1), sid(3), EVERYONE}


def test_whom_a_group_names_as_everyone_is_not_expanded_through_it() -> None:
    assert expand_groups(ME, frozenset({group(1, EVERYONE)})) == {ME, EVERYONE}


def test_a_user_is_named_as_the_api_does() -> None:
    assert SUBSCRIBER.user.nt4_name == "CORP\\subscriber"
