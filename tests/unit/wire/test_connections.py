"""How many connections there may be, and which goes for a new one."""

import pytest

from certwright.domain.client_sources import group_source
from certwright.wire.connections import ConnectionLimits, Connections, Place, share_limits


def take(connections: Connections, address: str, ended: list[str], name: str = "") -> Place | None:
    place = connections.admit(address)
    if place is not None:
        place.end = lambda: ended.append(name or address)
    return place


def test_the_longest_idle_connection_of_a_source_goes_for_a_new_one_from_there() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=10, from_one_source=2)), []
    first = take(connections, "192.0.2.1", ended, "first")
    take(connections, "192.0.2.1", ended, "second")
    take(connections, "192.0.2.2", ended)
    assert first is not None
    first.work()
    first.wait()
    take(connections, "192.0.2.1", ended, "third")
    assert ended == ["second"]
    assert len(connections) == 3


def test_a_connection_with_a_call_in_progress_is_not_ended() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=10, from_one_source=2)), []
    places = [take(connections, "192.0.2.1", ended) for _ in range(2)]
    for each in places:
        assert each is not None
        each.work()
    assert take(connections, "192.0.2.1", ended) is None
    assert ended == []
    assert take(connections, "192.0.2.2", ended) is not None


def test_when_there_are_too_many_in_all_the_longest_idle_of_all_goes() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=3, from_one_source=3)), []
    for each in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"):
        take(connections, each, ended)
    assert ended == ["192.0.2.1"]
    assert len(connections) == 3


def test_proxies_are_bound_by_the_limit_in_all_only() -> None:
    limits = ConnectionLimits(in_all=5, from_one_source=1, is_exempt=lambda address: address == "10.0.0.1")
    connections, ended = Connections(limits), []
    for _ in range(7):
        assert take(connections, "10.0.0.1", ended) is not None
    assert len(connections) == 5
    assert len(ended) == 2


def test_what_has_ended_is_forgotten_once() -> None:
    connections = Connections(ConnectionLimits(in_all=2, from_one_source=1))
    for _ in range(100):
        place = connections.admit("192.0.2.1")
        assert place is not None
        place.leave()
        place.leave()
        place.wait()
        place.work()
    assert len(connections) == 0
    assert vars_of(connections) == []


def vars_of(connections: Connections) -> list[object]:
    """Return everything that it keeps."""
    return [*connections._sources, *connections._waiting]


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_the_addresses_of_one_customer_are_one_source(address: str, source: str) -> None:
    assert group_source(address) == source


def test_file_descriptors_are_kept_in_reserve() -> None:
    shared = share_limits(1_000, 250, 2, 1_024, lambda _: False)
    assert (shared.in_all, shared.from_one_source) == (500, 125)
    scarce = share_limits(4_000, 250, 3, 1_024, lambda _: False)
    assert (scarce.in_all, scarce.from_one_source) == (896, 84)
