"""From people and rights to the text of a world file that `parse_world` reads back as the same."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Group, Sid, User
from certwright.formats.definition_encoding import encode_value

HEAD = """\
# People and rights of Certwright. Change them here, then: certwright load FILE --data DIR
#
# A load adds and changes what the file names; what it leaves out stays as it is. New accounts and groups need no id and no sid.
"""
Table = Mapping[str, object]


def encode_tables(tables: Mapping[str, Table | Sequence[Table]]) -> str:
    """Return TOML: a table or a list of tables under each key, their values in one line each. Source: the format is ours."""
    lines: list[str] = []
    for name, content in tables.items():
        header = f"[{name}]" if isinstance(content, Mapping) else f"[[{name}]]"
        for each in (content,) if isinstance(content, Mapping) else content:
            lines += ["", header, *(f"{key} = {encode_value(value)}" for key, value in each.items())]
    return "\n".join(lines[1:]) + "\n"


def find_domain(users: Iterable[User]) -> str:
    """Return the domain that most of the users have; empty where there are none."""
    return next((domain for domain, _ in Counter(each.domain for each in users).most_common(1)), "")


def list_user_tables(users: Iterable[User], domain: str) -> list[dict[str, Any]]:
    """Return ``[[users]]``; *domain* is that of the file."""
    return [
        {
            "account": each.account_name,
            **({"domain": each.domain} if each.domain != domain else {}),
            "id": str(each.id),
            "sid": each.sid,
            "principal_name": each.principal_name,
            "display_name": each.display_name,
            "distinguished_name": each.distinguished_name,
            **({"email": each.email} if each.email else {}),
            **({} if each.enabled else {"enabled": False}),
        }
        for each in users
    ]


def list_group_tables(groups: Iterable[Group], names: Mapping[Sid, str]) -> list[dict[str, Any]]:
    """Return ``[[groups]]``. Shape: whoever *names* does not name is written as a SID."""
    return [
        {
            "name": each.name,
            "id": str(each.id),
            "sid": each.sid,
            "members": sorted(names.get(sid, sid) for sid in each.members),
        }
        for each in groups
    ]


def list_right_tables(grants: Iterable[Grant], names: Mapping[Sid, str], templates: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return ``[[rights]]``, each right on an object once.

    Shape: *templates* says what profile and certificate templates are called, by what grants name them by; rights on others,
    which were withdrawn, are left out.
    """
    called = {**names, EVERYONE: "everyone"}
    held: dict[tuple[Right, ObjectKind, str], list[str]] = {}
    for each in grants:
        place = _name_object(each, called, templates)
        if place is not None:
            held.setdefault((each.right, each.object_kind, place), []).append(called.get(each.trustee, each.trustee))
    return [
        {"right": right.value, "kind": kind.value, **({"on": place} if place else {}), "to": sorted(held[right, kind, place])}
        for right, kind, place in sorted(held, key=lambda key: (key[1], key[2], key[0]))
    ]


def _name_object(grant: Grant, names: Mapping[Sid, str], templates: Mapping[str, str]) -> str | None:
    if grant.object_kind is ObjectKind.SERVICE:
        return ""
    if grant.object_kind is ObjectKind.PRINCIPAL:
        return names.get(Sid(grant.object_name), grant.object_name)
    return templates.get(grant.object_name)
