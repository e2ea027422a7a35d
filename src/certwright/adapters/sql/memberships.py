"""The ways from a person up through groups, and from a group down to people."""

from sqlalchemy import bindparam, select

from certwright.adapters.sql.columns import PlainText
from certwright.adapters.sql.tables import group_members, user_groups, users

USER_COLUMNS = (
    users.c.id,
    users.c.sid,
    users.c.domain,
    users.c.account_name,
    users.c.principal_name,
    users.c.display_name,
    users.c.distinguished_name,
    users.c.email,
    users.c.enabled,
    users.c.domain_key,
    users.c.account_key,
    users.c.principal_key,
    users.c.mark,
)
GROUP_COLUMNS = (user_groups.c.id, user_groups.c.sid, user_groups.c.name, user_groups.c.name_key, user_groups.c.mark)
_MEMBERSHIP = (
    *GROUP_COLUMNS,
    group_members.c.group_id,
    group_members.c.member_sid,
    group_members.c.mark.label("member_mark"),
)

_reached = select(bindparam("sid", type_=PlainText).label("sid")).cte("reached", recursive=True)
_reached = _reached.union(
    select(user_groups.c.sid)
    .join(group_members, group_members.c.group_id == user_groups.c.id)
    .join(_reached, group_members.c.member_sid == _reached.c.sid)
)
GROUPS_ABOVE = (
    select(*_MEMBERSHIP)
    .join(group_members, group_members.c.group_id == user_groups.c.id)
    .join(_reached, group_members.c.member_sid == _reached.c.sid)
)
"""The memberships on the ways up from one SID, and no others: the size of the directory does not matter."""

_below = select(bindparam("sid", type_=PlainText).label("sid")).cte("below", recursive=True)
_below = _below.union(
    select(group_members.c.member_sid)
    .join(user_groups, group_members.c.group_id == user_groups.c.id)
    .join(_below, user_groups.c.sid == _below.c.sid)
)
GROUPS_BELOW = (
    select(*_MEMBERSHIP)
    .join(group_members, group_members.c.group_id == user_groups.c.id)
    .join(_below, user_groups.c.sid == _below.c.sid)
)
"""Likewise, on the ways down."""
USERS_BELOW = select(*USER_COLUMNS).join(_below, users.c.sid == _below.c.sid)
SOME_BELOW = USERS_BELOW.where(users.c.enabled.is_(True)).limit(bindparam("most"))
