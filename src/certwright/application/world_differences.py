"""What a load adds, changes and removes, one difference at a time, for the administrator who decides."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from certwright.domain.grants import Grant, ObjectKind
from certwright.domain.identities import EVERYONE, Group, GroupId, Sid, User, UserId
from certwright.domain.profile_templates import ProfileTemplate


class Change(StrEnum):
    """What happens to one thing."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs after a load.

    Shape: *kind* is user, group, member, right or profile template; *name* is what people call it; *detail* says what is
    different about it, or of which group a member is.
    """

    change: Change
    kind: str
    name: str
    detail: str = ""


def list_user_differences(before: Mapping[UserId, User], after: Iterable[User]) -> Iterator[Difference]:
    """Return which of *after* are new or differ."""
    for each in after:
        present = before.get(each.id)
        if present is None:
            yield Difference(change=Change.ADDED, kind="user", name=each.nt4_name, detail=each.distinguished_name)
        elif present != each:
            yield Difference(change=Change.CHANGED, kind="user", name=each.nt4_name, detail=_compare(present, each))


def list_group_differences(
    before: Mapping[GroupId, Group], after: Iterable[Group], names: Mapping[Sid, str]
) -> Iterator[Difference]:
    """Return which of *after* are new or have other names, and who joins and leaves them."""
    for each in after:
        present = before.get(each.id)
        if present is None:
            yield Difference(change=Change.ADDED, kind="group", name=each.name)
        elif present.name != each.name:
            yield Difference(change=Change.CHANGED, kind="group", name=each.name, detail=f"name: {present.name} -> {each.name}")
        members = frozenset[Sid]() if present is None else present.members
        for change, sids in ((Change.ADDED, each.members - members), (Change.REMOVED, members - each.members)):
            for sid in sorted(sids, key=lambda sid: names.get(sid, sid)):
                yield Difference(change=change, kind="member", name=names.get(sid, sid), detail=f"of {each.name}")


def list_right_differences(before: Iterable[Grant], after: Iterable[Grant], names: Mapping[Sid, str]) -> Iterator[Difference]:
    """Return which rights come and go. Shape: *names* has profile templates under their identifiers, too."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    called = {**names, EVERYONE: "everyone"}
    for change, grants in (
        (Change.ADDED, [each for each in new if each not in old]),
        (Change.REMOVED, [each for each in old if each not in new]),
    ):
        for each in grants:
            place = "" if each.object_kind is ObjectKind.SERVICE else called.get(Sid(each.object_name), each.object_name)
            right = f"{each.right.value} on {each.object_kind.value} {place}".rstrip()
            yield Difference(change=change, kind="right", name=right, detail=f"of {called.get(each.trustee, each.trustee)}")


def list_template_differences(saved: Iterable[ProfileTemplate]) -> Iterator[Difference]:
    """Return which profile templates are new or get a new version."""
    for each in saved:
        change = Change.ADDED if each.version == 1 else Change.CHANGED
        yield Difference(change=change, kind="profile template", name=each.name, detail=f"version {each.version}")


def _compare(before: User, after: User) -> str:
    changed = [
        (each.name, getattr(before, each.name), getattr(after, each.name))
        for each in fields(User)
        if getattr(before, each.name) != getattr(after, each.name)
    ]
    return ", ".join(f"{name}: {_show(old)} -> {_show(new)}" for name, old, new in changed)


def _show(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "(none)"
