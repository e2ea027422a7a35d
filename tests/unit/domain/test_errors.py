"""The catalogue of refusals: each with a stable code of its own and a text that can always be said."""

import re
from collections import Counter
from dataclasses import fields
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.domain.errors import (
    AccessDenied,
    CertwrightError,
    CredentialsMissing,
    Refused,
    RulesBroken,
    SignInThrottled,
    Unavailable,
    check_none_broken,
)


def list_leaves(root: type[CertwrightError] = CertwrightError) -> list[type[CertwrightError]]:
    below = root.__subclasses__()
    return [leaf for each in below for leaf in list_leaves(each)] if below else [root]


LEAVES = list_leaves()
STRATEGIES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    int: st.integers(),
    UUID: st.uuids(),
    UUID | str: st.uuids() | st.text(),
    tuple[str, ...]: st.lists(st.text()).map(tuple),
    tuple[Refused, ...]: st.just((CredentialsMissing(), SignInThrottled(3))),
}


def strategy_for(leaf: type[CertwrightError]) -> st.SearchStrategy[CertwrightError]:
    hints = get_type_hints(leaf)
    return st.builds(leaf, **{each.name: STRATEGIES[hints[each.name]] for each in fields(leaf)})


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda each: each.__name__)
def test_every_leaf_has_a_code_that_a_program_can_keep(leaf: type[CertwrightError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", leaf.code)
    assert "code" in vars(leaf), "a leaf does not inherit its code"


def test_no_two_classes_share_a_code() -> None:
    counted = Counter(each.code for each in LEAVES)
    assert [code for code, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda each: each.__name__)
def test_every_leaf_says_whether_the_caller_can_act(leaf: type[CertwrightError]) -> None:
    assert issubclass(leaf, Refused) != issubclass(leaf, Unavailable)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda each: each.__name__)
@settings(max_examples=10)
@given(st.data())
def test_every_text_can_be_said_whatever_its_fields_hold(leaf: type[CertwrightError], data: st.DataObject) -> None:
    error = data.draw(strategy_for(leaf))
    assert str(error) == f"{leaf.code}: {error.text}"


def sample(leaf: type[CertwrightError]) -> CertwrightError:
    values: dict[Any, Any] = {int: 7, tuple[str, ...]: ("A reason.",), tuple[Refused, ...]: (CredentialsMissing(),)}
    hints = get_type_hints(leaf)
    return leaf(**{each.name: values.get(hints[each.name], f"the-{each.name}") for each in fields(leaf)})


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda each: each.__name__)
def test_every_text_names_all_its_fields_and_has_no_placeholder_left(leaf: type[CertwrightError]) -> None:
    error = sample(leaf)
    assert not set("{}") & set(error.text)
    assert not error.text[0].islower() or error.text.startswith("the-")
    for each in fields(leaf):
        value = getattr(error, each.name)
        assert all(str(getattr(one, "text", one)) in error.text for one in (value if isinstance(value, tuple) else (value,)))


def test_braces_in_a_value_are_only_text() -> None:
    assert AccessDenied("{act} {0} {secret}", ("{x}",)).text == "You may not {act} {0} {secret}. {x}"


def test_nothing_broken_is_no_refusal() -> None:
    check_none_broken([])


def test_one_broken_rule_is_raised_as_itself() -> None:
    fault = CredentialsMissing()
    with pytest.raises(CredentialsMissing) as raised:
        check_none_broken([fault])
    assert raised.value is fault


def test_several_broken_rules_are_raised_together() -> None:
    faults: list[Refused] = [CredentialsMissing(), SignInThrottled(3)]
    with pytest.raises(RulesBroken) as raised:
        check_none_broken(faults)
    assert raised.value.broken == tuple(faults)
    assert raised.value.text == " ".join(each.text for each in faults)
