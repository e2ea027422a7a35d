"""Room for bodies: what one takes is there for others once it has left."""

import pytest

from certwright.wire.rest.body_room import SHARE, BodyPlace, BodyRoom
from certwright.wire.rest.faults import LIMIT_OCTETS, WireRefusal


def test_one_holder_has_a_share_of_the_room_at_most_and_leaves_the_rest_to_others() -> None:
    room = BodyRoom(SHARE * LIMIT_OCTETS * 2)
    greedy = [BodyPlace(room, "outsider") for _ in range(3)]
    for each in greedy[:2]:
        each.grow_to(LIMIT_OCTETS)
    with pytest.raises(WireRefusal):
        greedy[2].grow_to(1)
    BodyPlace(room, "subscriber").grow_to(LIMIT_OCTETS)
    greedy[0].leave()
    greedy[2].grow_to(LIMIT_OCTETS)
    with pytest.raises(WireRefusal):
        BodyPlace(room, "outsider").grow_to(1)


def test_bodies_share_a_room_and_give_back_what_they_took() -> None:
    room = BodyRoom(10)
    first, second = BodyPlace(room), BodyPlace(room)
    first.grow_to(6)
    first.grow_to(4)
    second.grow_to(3)
    second.grow_to(4)
    assert room.left == 0
    with pytest.raises(WireRefusal) as refused:
        second.grow_to(5)
    assert (refused.value.fault.status, refused.value.fault.code) == (503, "request-bodies-exhausted")
    assert refused.value.headers == (("Retry-After", "5"),)
    first.leave()
    first.leave()
    second.grow_to(10)
    second.leave()
    assert room.left == 10
