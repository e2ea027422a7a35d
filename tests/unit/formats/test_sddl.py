"""Security descriptors as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.errors import MalformedValue
from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.security_descriptors import SERVICE_SID, Entry, RequestPermission, SecurityDescriptor
from certwright.formats.sddl import encode_security_descriptor, parse_security_descriptor
from worlds.contoso import VECTORS


def list_documented() -> list[str]:
    found: list[str] = []

    def keep(pairs: list[tuple[str, object]]) -> None:
        found.extend(str(value) for name, value in pairs if name == "SecurityDescriptor" and value)

    json.loads((VECTORS / "rest_examples.json").read_text(), object_pairs_hook=keep)
    return found


DOCUMENTED = list_documented()
SIDS = some.sampled_from([EVERYONE, SERVICE_SID]) | some.builds(
    lambda numbers: Sid("-".join(["S-1-5", *map(str, numbers)])),
    some.lists(some.integers(0, 2**32 - 1), min_size=1, max_size=5),
)
ENTRIES = some.builds(Entry, SIDS, some.integers(0, 15).map(RequestPermission), some.just(""), is_allowed=some.booleans())


def test_the_reference_prints_descriptors() -> None:
    assert len(DOCUMENTED) >= 3


@pytest.mark.parametrize("text", sorted(set(DOCUMENTED)))
def test_a_documented_descriptor_is_written_as_it_was_read(text: str) -> None:
    assert encode_security_descriptor(parse_security_descriptor(text)) == text


def test_the_documented_refusal_keeps_the_originator_from_approving() -> None:
    first = parse_security_descriptor(DOCUMENTED[0]).entries[0]
    assert (first.is_allowed, first.permissions) == (False, RequestPermission.APPROVE)
    assert first.trustee.endswith("-14995557")


def test_rights_are_written_in_the_order_of_the_examples_and_a_nul_for_each_entry() -> None:
    everything = RequestPermission(0x3000F)
    alice, bob = Sid("S-1-5-21-1-2-3-1001"), Sid("S-1-5-21-1-2-3-1002")
    entries = (Entry(alice, RequestPermission.APPROVE, "own", is_allowed=False), Entry(bob, everything, "all"))
    text = "O:SYD:(D;;LC;;;S-1-5-21-1-2-3-1001)(A;;CCDCLCSWSDRC;;;S-1-5-21-1-2-3-1002)\0\0"
    assert encode_security_descriptor(SecurityDescriptor(SERVICE_SID, entries)) == text


@given(SIDS, some.lists(ENTRIES, max_size=6).map(tuple))
def test_every_descriptor_comes_back_without_its_reasons(owner: Sid, entries: tuple[Entry, ...]) -> None:
    descriptor = SecurityDescriptor(owner, entries)
    assert parse_security_descriptor(encode_security_descriptor(descriptor)) == descriptor


@pytest.mark.parametrize(
    "text", ["", "O:WD", "D:(A;;CC;;;WD)", "O:WDD:(A;;XX;;;WD)", "O:WDD:(A;CI;CC;;;WD)", "O:BAD:", "O:WDD:(A;;CC;;;S-1)\n"]
)
def test_other_text_is_malformed(text: str) -> None:
    with pytest.raises(MalformedValue):
        parse_security_descriptor(text)


@given(some.text(max_size=60))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    with pytest.raises(MalformedValue):
        parse_security_descriptor(text)
