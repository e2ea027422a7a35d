"""How many connections there may be, and which goes for a new one."""

import pytest

from certwright.domain.client_sources import group_source
from certwright.wire.connections import KNOWN_SHARE, ConnectionLimits, Connections, Place, share_limits


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


def test_when_there_are_too_many_in_all_the_longest_idle_goes_where_all_sources_have_as_many() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=3, from_one_source=3)), []
    for each in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"):
        take(connections, each, ended)
    assert ended == ["192.0.2.1"]
    assert len(connections) == 3


def test_when_there_are_too_many_in_all_the_source_with_most_gives_way() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=20, from_one_source=10)), []
    take(connections, "192.0.2.1", ended)
    for number in range(60):
        take(connections, f"198.51.100.{number % 6}", ended)
    take(connections, "192.0.2.2", ended)
    assert len(connections) == 20
    assert len(ended) == 42
    assert "192.0.2.1" not in ended


def test_calls_that_wait_for_a_sign_in_give_way_and_are_given_notice() -> None:
    connections, ended, left = Connections(ConnectionLimits(in_all=20, from_one_source=10)), [], []
    for number in range(20):
        place = take(connections, f"198.51.100.{number % 4}", ended, f"{number}")
        assert place is not None
        place.work()
        place.ask(place.source)
        place.when_left = lambda number=number: left.append(f"{number}")
    for _ in range(5):
        place = take(connections, "192.0.2.1", ended, "known")
        assert place is not None
        place.work()
    assert ended == left == ["16", "17", "18", "19", "12"]
    assert len(connections) == 20


def test_a_connection_that_is_idle_goes_before_one_whose_call_waits() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=10, from_one_source=2)), []
    asking = take(connections, "192.0.2.1", ended, "asking")
    assert asking is not None
    asking.work()
    asking.ask("192.0.2.1")
    take(connections, "192.0.2.1", ended, "idle")
    take(connections, "192.0.2.1", ended, "new")
    assert ended == ["idle"]
    asking.stop_asking()
    for _ in range(3):
        take(connections, "192.0.2.1", ended, "new")
    assert "asking" not in ended


def test_a_source_from_which_somebody_has_signed_in_keeps_a_share_whatever_strangers_do() -> None:
    connections, ended = Connections(ConnectionLimits(in_all=32, from_one_source=32)), []
    for _ in range(32):
        office = take(connections, "192.0.2.1", ended, "office")
    assert office is not None
    office.note_known("192.0.2.1")
    for number in range(100):
        take(connections, f"198.51.100.{number}", ended, "stranger")
    assert ended.count("office") == 32 - 32 // KNOWN_SHARE - 1


def test_connections_of_a_proxy_count_for_the_sources_that_it_names() -> None:
    limits = ConnectionLimits(in_all=20, from_one_source=1, is_exempt=lambda address: address == "10.0.0.1")
    connections, ended = Connections(limits), []
    places: list[Place] = []
    for number in range(20):
        source = "203.0.113.9" if number else "198.51.100.7"
        place = take(connections, "10.0.0.1", ended, source)
        assert place is not None
        place.identify(source)
        places.append(place)
    for _ in range(10):
        place = take(connections, "10.0.0.1", ended, "new")
        assert place is not None
        places.append(place)
    assert ended == ["203.0.113.9"] * 10
    for each in places:
        each.leave()
    assert len(connections) == 0
    assert vars_of(connections) == []


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
    return [*connections._sources, *connections._strangers._levels, *connections._acquainted._levels]


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
