"""What people call the users and groups of the directory: by SID, and in the order of names."""

from sqlalchemy import bindparam, select

from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.tables import group_members, user_groups, users
from certwright.domain.identities import Sid

_NAME_OF_USER = select(users.c.domain, users.c.account_name).where(users.c.sid == bindparam("sid"))
_NAME_OF_GROUP = select(user_groups.c.name).where(user_groups.c.sid == bindparam("sid"))
_GROUPS_OF = (
    select(user_groups.c.name)
    .join(group_members, group_members.c.group_id == user_groups.c.id)
    .where(group_members.c.member_sid == bindparam("member_sid"))
)
_ACCOUNTS_FROM = (
    select(users.c.domain, users.c.account_name)
    .where(users.c.account_key >= bindparam("first"))
    .order_by(users.c.account_key)
    .limit(bindparam("most"))
)
_GROUPS_FROM = (
    select(user_groups.c.name)
    .where(user_groups.c.name_key >= bindparam("first"))
    .order_by(user_groups.c.name_key)
    .limit(bindparam("most"))
)


def find_name(connection: Connection, sid: Sid) -> str | None:
    """Return ``DOMAIN\\account``, or the name of the group."""
    user = connection.execute(_NAME_OF_USER, {"sid": sid}).first()
    if user is not None:
        return _name_account(user.domain, user.account_name)
    name: str | None = connection.execute(_NAME_OF_GROUP, {"sid": sid}).scalar()
    return name


def list_groups_of(connection: Connection, sid: Sid) -> tuple[str, ...]:
    """Return the names of the groups that hold *sid* themselves, by name."""
    return tuple(sorted((row.name for row in connection.execute(_GROUPS_OF, {"member_sid": sid})), key=str.casefold))


def list_names_from(connection: Connection, first: str, most: int) -> tuple[str, ...]:
    """Return at most so many names of accounts and as many of groups, in the database's order from *first* on."""
    values = {"first": first.casefold(), "most": most}
    accounts = [_name_account(row.domain, row.account_name) for row in connection.execute(_ACCOUNTS_FROM, values)]
    return (*accounts, *(row.name for row in connection.execute(_GROUPS_FROM, values)))


def _name_account(domain: str, account: str) -> str:
    return f"{domain}\\{account}" if domain else account
