"""JSON text, within reason. Source: the decision "reading" of domain.md."""

import msgspec

from certwright.domain.errors import MalformedBody

DEPTH_LIMIT = 64
VALUES_LIMIT = 20_000
"""How many brackets and commas a text has at most, those in strings too: a value takes many times the memory of its text."""


def parse_json(text: bytes) -> object:
    """Return the value.

    Errors: MalformedBody when it is not JSON, holds a number beyond all reason or more values than the limit, or is nested
            deeper than 64.
    """
    brackets = text.count(b"[") + text.count(b"{")
    if brackets + text.count(b",") > VALUES_LIMIT:
        raise MalformedBody(f"it holds more than {VALUES_LIMIT} brackets and commas")
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MalformedBody("it is not JSON in UTF-8") from None
    except RecursionError:
        raise _refuse_depth() from None
    # Most bodies have fewer brackets than the limit allows levels: only the others are walked through.
    if brackets > DEPTH_LIMIT:
        _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [child for each in level for child in _list_children(each)]
        if not level:
            return
    raise _refuse_depth()


def _list_children(value: object) -> list[object]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in children if isinstance(each, dict | list)]


def _refuse_depth() -> MalformedBody:
    return MalformedBody(f"it is nested deeper than {DEPTH_LIMIT}")
