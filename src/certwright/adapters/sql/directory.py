"""Users, groups, rights and password hashes. Everything about one user is remembered until the revision changes."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, Update, bindparam, delete, insert, or_, select, text, update

from certwright.adapters.sql.directory_names import find_name, list_groups_of, list_names_from
from certwright.adapters.sql.directory_rows import grant_row, read_grant, read_user, user_row
from certwright.adapters.sql.marked_rows import GROUPS, MEMBERS, MEMBERS_ABOVE, PASSWORDS, RIGHTS, USERS
from certwright.adapters.sql.memberships import GROUP_COLUMNS, GROUPS_ABOVE, GROUPS_BELOW, SOME_BELOW, USER_COLUMNS, USERS_BELOW
from certwright.adapters.sql.memory import DirectoryMemory, Memory
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import MarkedRows, RowLedger
from certwright.adapters.sql.tables import directory_revision, grants, group_members, password_hashes, user_groups, users
from certwright.adapters.sql.upserts import insert_or_replace, insert_unless_taken
from certwright.domain.errors import DefinitionInvalid
from certwright.domain.grants import Grant, Grants, ObjectKind
from certwright.domain.identities import Group, GroupId, GroupName, Principal, Sid, User, UserId, expand_groups

_USER, _GROUP = USER_COLUMNS, GROUP_COLUMNS
_HAS_PRINCIPAL_NAME = text("principal_key <> ''")
"""In the words of the index."""
_REVISION = select(directory_revision.c.revision, directory_revision.c.grants_revision)
_RAISE_REVISION = update(directory_revision).values(revision=directory_revision.c.revision + 1)
RAISE_REVISIONS = update(directory_revision).values(
    revision=directory_revision.c.revision + 1, grants_revision=directory_revision.c.grants_revision + 1
)
_USER_BY_ID = select(*_USER).where(users.c.id == bindparam("user_id"))
_USERS_BY_ACCOUNT = select(*_USER).where(users.c.account_key == bindparam("account")).limit(2)
_USER_BY_ACCOUNT = select(*_USER).where(users.c.account_key == bindparam("account"), users.c.domain_key == bindparam("domain"))
_USER_BY_PRINCIPAL_NAME = select(*_USER).where(users.c.principal_key == bindparam("name"), _HAS_PRINCIPAL_NAME)
_USERS = select(*_USER)
_CLASHING_USER = select(users.c.domain, users.c.account_name).where(
    users.c.id != bindparam("id"),
    or_(
        users.c.sid == bindparam("sid"),
        (users.c.account_key == bindparam("account_key")) & (users.c.domain_key == bindparam("domain_key")),
        (users.c.principal_key == bindparam("principal_key")) & _HAS_PRINCIPAL_NAME,
    ),
)
_SAVE_USER = insert_or_replace(users)

_GROUPS = select(*_GROUP)
_MEMBER = (group_members.c.group_id, group_members.c.member_sid, group_members.c.mark)
_MEMBERS = select(*_MEMBER)
_MEMBERS_OF = select(*_MEMBER).where(group_members.c.group_id == bindparam("of_group"))
_CLASHING_GROUP = select(user_groups.c.name).where(user_groups.c.id != bindparam("id"), user_groups.c.sid == bindparam("sid"))
_SAVE_GROUP = insert_or_replace(user_groups)
_GROUP_NAMED = select(*_GROUP).where(user_groups.c.name_key == bindparam("name_key")).order_by(user_groups.c.sid).limit(1)
_ADD_MEMBER = insert_unless_taken(group_members)
_REMOVE_MEMBER = delete(group_members).where(
    group_members.c.group_id == bindparam("of_group"), group_members.c.member_sid == bindparam("member_sid")
)
_DELETE_GROUP = delete(user_groups).where(user_groups.c.id == bindparam("of_group"))
_EMPTY_GROUP = delete(group_members).where(group_members.c.group_id == bindparam("of_group"))

_GRANTS = select(grants.c.object_kind, grants.c.object_name, grants.c.access_right, grants.c.trustee, grants.c.mark)
_GRANTS_ON = _GRANTS.where(grants.c.object_kind == bindparam("kind"), grants.c.object_name == bindparam("name"))
_GRANTS_OF = _GRANTS.where(grants.c.trustee == bindparam("of_trustee"))
_ADD_GRANT = insert_unless_taken(grants)
_REMOVE_GRANT = delete(grants).where(
    grants.c.object_kind == bindparam("object_kind"),
    grants.c.object_name == bindparam("object_name"),
    grants.c.access_right == bindparam("access_right"),
    grants.c.trustee == bindparam("trustee"),
)
_PASSWORD_HASH = select(password_hashes.c.user_id, password_hashes.c.password_hash, password_hashes.c.mark).where(
    password_hashes.c.user_id == bindparam("user_id")
)
_SAVE_PASSWORD_HASH = insert_or_replace(password_hashes)
_ADD_MEMBERS = insert(group_members)
_ADD_GRANTS = insert(grants)
_EMPTY_GRANTS = delete(grants)


class SqlDirectory:
    """The local directory. Errors of what saves: DefinitionInvalid when a name or SID is another's."""

    def __init__(self, connection: Connection, memory: Memory, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._memory = memory
        self._seen: DirectoryMemory | None = None
        self._is_changed = False

    def revision(self) -> int:
        """Return the number; asked once a session."""
        return self._recall().revision

    def find_principal(self, user_id: UserId) -> Principal | None:
        """Return the user and everything he is through groups."""
        known = self._recall().find_principal(user_id)
        if known is not None:
            return known
        row = self._connection.execute(_USER_BY_ID, {"user_id": user_id}).first()
        return None if row is None else self._read_principal(row)

    def find_account(self, domain: str, account_name: str) -> Principal | None:
        """Return whom the name means; nobody when it is given without a domain and fits several."""
        names = {"domain": domain.casefold(), "account": account_name.casefold()}
        known = self._recall().find_name(*names.values())
        if known is not None:
            return self.find_principal(known)
        if domain:
            rows = self._connection.execute(_USER_BY_ACCOUNT, names).all()
        else:
            rows = self._connection.execute(_USERS_BY_ACCOUNT, {"account": names["account"]}).all()
        return self._keep_named(rows, *names.values())

    def find_principal_name(self, principal_name: str) -> Principal | None:
        """Return whom the name means."""
        name = principal_name.casefold()
        known = self._recall().find_name(name)
        if known is not None:
            return self.find_principal(known)
        return self._keep_named(self._connection.execute(_USER_BY_PRINCIPAL_NAME, {"name": name}).all(), name)

    def list_users(self) -> tuple[User, ...]:
        """Return all users by domain and account name."""
        return self._sort_users(self._connection.execute(_USERS))

    def list_groups(self) -> tuple[Group, ...]:
        """Return all groups by name."""
        members: dict[GroupId, set[Sid]] = {}
        for row in self._connection.execute(_MEMBERS):
            self._ledger.check(MEMBERS, row)
            members.setdefault(row.group_id, set()).add(row.member_sid)
        rows = self._connection.execute(_GROUPS).all()
        for row in rows:
            self._ledger.check(GROUPS, row)
        found = [Group(id=each.id, sid=each.sid, name=each.name, members=frozenset(members.get(each.id, ()))) for each in rows]
        return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.sid)))

    def list_members(self, sid: Sid) -> tuple[User, ...]:
        """Return the user of *sid*, or everybody in the group."""
        self._list_memberships(GROUPS_BELOW, sid)
        return self._sort_users(self._connection.execute(USERS_BELOW, {"sid": sid}))

    def list_some_members(self, sid: Sid, limit: int) -> tuple[User, ...]:
        """Return the user of *sid*, or everybody in the group, who is enabled; not more than *limit*."""
        return self._sort_users(self._connection.execute(SOME_BELOW, {"sid": sid, "most": limit}))

    def find_group(self, name: str) -> GroupName | None:
        """Return the group of that name, in any case, without its members: there may be very many."""
        row = self._connection.execute(_GROUP_NAMED, {"name_key": name.casefold()}).first()
        if row is None:
            return None
        self._ledger.check(GROUPS, row)
        return GroupName(id=row.id, sid=row.sid, name=row.name)

    def list_sids_above(self, sid: Sid) -> frozenset[Sid]:
        """Return *sid* and every group that holds it, directly or through other groups."""
        return frozenset({sid, *(row.sid for row in self._list_memberships(GROUPS_ABOVE, sid))})

    def name_sids(self, sids: Iterable[Sid]) -> dict[Sid, str]:
        """Return what people call the users and groups among *sids*."""
        return {sid: name for sid in sorted(set(sids)) if (name := find_name(self._connection, sid)) is not None}

    def load_grants(self) -> Grants:
        """Return all rights, indexed."""
        seen = self._recall()
        if seen.grants is None:
            seen.grants = Grants(self._read_grant(row) for row in self._connection.execute(_GRANTS))
        return seen.grants

    def list_grants_on(self, kind: ObjectKind, name: str) -> tuple[Grant, ...]:
        """Return the rights on one thing."""
        rows = self._connection.execute(_GRANTS_ON, {"kind": kind.value, "name": name})
        return tuple(map(self._read_grant, rows))

    def list_grants_of(self, trustees: Iterable[Sid]) -> tuple[Grant, ...]:
        """Return the rights that *trustees* hold, each by its own name."""
        return tuple(
            self._read_grant(row)
            for each in sorted(set(trustees))
            for row in self._connection.execute(_GRANTS_OF, {"of_trustee": each})
        )

    def save_user(self, user: User) -> None:
        """Store the user under his identifier. Errors: DefinitionInvalid."""
        self._change()
        row = user_row(user)
        clash = self._connection.execute(_CLASHING_USER, row).first()
        if clash is not None:
            raise DefinitionInvalid(
                f"user {user.nt4_name}", f"its SID or one of its names is that of {clash.domain}\\{clash.account_name}"
            )
        row["mark"] = self._ledger.mark(USERS, row)
        _SAVE_USER.run(self._connection, [row])
        self._ledger.note(USERS, row)

    def save_group(self, group: Group) -> None:
        """Store the group and exactly its members under its identifier. Errors: DefinitionInvalid."""
        self._change()
        row: dict[str, Any] = {"id": group.id, "sid": group.sid, "name": group.name, "name_key": group.name.casefold()}
        clash = self._connection.execute(_CLASHING_GROUP, row).scalar()
        if clash is not None:
            raise DefinitionInvalid(f"group {group.name}", f"its SID is that of {clash}")
        row["mark"] = self._ledger.mark(GROUPS, row)
        _SAVE_GROUP.run(self._connection, [row])
        self._ledger.note(GROUPS, row)
        before = self._list_marked(MEMBERS, _MEMBERS_OF, {"of_group": group.id})
        self._connection.execute(_EMPTY_GROUP, {"of_group": group.id})
        members = self._mark_all(MEMBERS, [{"group_id": group.id, "member_sid": each} for each in sorted(group.members)])
        if members:
            self._connection.execute(_ADD_MEMBERS, members)
        self._note_differences(MEMBERS, before, members)

    def delete_group(self, group: GroupName) -> None:
        """Remove the group and its memberships."""
        self._change()
        values = {"of_group": group.id}
        before = self._list_marked(MEMBERS, _MEMBERS_OF, values)
        self._connection.execute(_EMPTY_GROUP, values)
        self._note_differences(MEMBERS, before, [])
        if self._connection.execute(_DELETE_GROUP, values).rowcount:
            self._ledger.note_removed(GROUPS, {"id": group.id})

    def list_groups_of(self, sid: Sid) -> tuple[str, ...]:
        """Return the names of the groups that hold *sid* themselves."""
        return list_groups_of(self._connection, sid)

    def list_names_from(self, first: str, most: int) -> tuple[str, ...]:
        """Return at most so many names of accounts and as many of groups, from *first* on."""
        return list_names_from(self._connection, first, most)

    def add_member(self, group_id: GroupId, member: Sid) -> bool:
        """Put *member* into the group, and return whether it was not in it."""
        row = self._mark(MEMBERS, {"group_id": group_id, "member_sid": member})
        return self._note_if(_ADD_MEMBER.run(self._connection, [row]) == 1, MEMBERS, row)

    def remove_member(self, group_id: GroupId, member: Sid) -> bool:
        """Take *member* out of the group, and return whether it was in it."""
        values = {"of_group": group_id, "member_sid": member}
        is_changed = self._connection.execute(_REMOVE_MEMBER, values).rowcount == 1
        return self._note_if(is_changed, MEMBERS, {"group_id": group_id, "member_sid": member})

    def add_grant(self, grant: Grant) -> bool:
        """Store one more right, and return whether there was none like it."""
        row = self._mark(RIGHTS, grant_row(grant))
        return self._note_if(_ADD_GRANT.run(self._connection, [row]) == 1, RIGHTS, row, RAISE_REVISIONS)

    def remove_grant(self, grant: Grant) -> bool:
        """Remove the right, and return whether there was one."""
        row = grant_row(grant)
        is_changed = self._connection.execute(_REMOVE_GRANT, row).rowcount == 1
        return self._note_if(is_changed, RIGHTS, row, RAISE_REVISIONS)

    def replace_grants(self, new_grants: Iterable[Grant]) -> None:
        """Store exactly these rights."""
        self._change(RAISE_REVISIONS)
        before = self._list_marked(RIGHTS, _GRANTS, {})
        self._connection.execute(_EMPTY_GRANTS)
        rows = self._mark_all(RIGHTS, [grant_row(each) for each in dict.fromkeys(new_grants)])
        if rows:
            self._connection.execute(_ADD_GRANTS, rows)
        self._note_differences(RIGHTS, before, rows)

    def find_password_hash(self, user_id: UserId) -> str | None:
        """Return the hash; never remembered, it is asked for only when a password is tried."""
        row = self._connection.execute(_PASSWORD_HASH, {"user_id": user_id}).first()
        if row is None:
            return None
        self._ledger.check(PASSWORDS, row)
        found: str = row.password_hash
        return found

    def save_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Store the hash in place of the one before."""
        self._change()
        row: dict[str, Any] = {"user_id": user_id, "password_hash": password_hash}
        row["mark"] = self._ledger.mark(PASSWORDS, row)
        _SAVE_PASSWORD_HASH.run(self._connection, [row])
        self._ledger.note(PASSWORDS, row)

    def _mark(self, kind: MarkedRows, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"mark": self._ledger.mark(kind, row)}

    def _mark_all(self, kind: MarkedRows, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self._mark(kind, row) for row in rows]

    def _note_if(self, is_changed: bool, kind: MarkedRows, row: dict[str, Any], raising: Update = _RAISE_REVISION) -> bool:
        """Note a row that was added, or one without a mark that was removed, where it was; and return whether it was."""
        if is_changed and "mark" in row:
            self._ledger.note(kind, row)
        elif is_changed:
            self._ledger.note_removed(kind, row)
        return self._change_if(is_changed, raising)

    def _list_marked(self, kind: MarkedRows, statement: Select[Any], values: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the rows as they are, where it matters which of them will have changed."""
        if not self._ledger.is_on:
            return []
        return [row._asdict() for row in self._connection.execute(statement, values) if self._ledger.is_right(kind, row)]

    def _note_differences(self, kind: MarkedRows, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> None:
        """Note which rows were removed and which came; those that were written again as they were tell of nothing."""
        gone, kept = ({kind.name_key(row): row for row in rows} for rows in (before, now))
        for key in gone.keys() - kept.keys():
            self._ledger.note_removed(kind, gone[key])
        for key in kept.keys() - gone.keys():
            self._ledger.note(kind, kept[key])

    def _recall(self) -> DirectoryMemory:
        if self._seen is None:
            revisions = self._connection.execute(_REVISION).all()[0]
            # What is not committed yet is for this session's eyes only.
            self._seen = DirectoryMemory(*revisions) if self._is_changed else self._memory.at_revision(*revisions)
        return self._seen

    def _change(self, raising: Update = _RAISE_REVISION) -> None:
        """Raise the revision first: on PostgreSQL its row is the lock that lets one change follow another."""
        self._connection.execute(raising)
        self._is_changed = True
        self._seen = None

    def _change_if(self, is_changed: bool, raising: Update = _RAISE_REVISION) -> bool:
        """Raise the revision when something has changed, and return whether it has."""
        if is_changed:
            self._change(raising)
        return is_changed

    def _keep_named(self, rows: Iterable[Row], *name: str) -> Principal | None:
        found = list(rows)
        if len(found) != 1:
            return None
        self._ledger.check(USERS, found[0])
        principal = self._recall().find_principal(found[0].id) or self._read_principal(found[0])
        self._recall().keep_name(principal.user.id, *name)
        return principal

    def _read_principal(self, row: Row) -> Principal:
        user = self._read_user(row)
        above: dict[GroupId, Group] = {}
        for each in self._list_memberships(GROUPS_ABOVE, user.sid):
            members = above[each.id].members if each.id in above else frozenset()
            above[each.id] = Group(id=each.id, sid=each.sid, name=each.name, members=members | {each.member_sid})
        principal = Principal(user, expand_groups(user.sid, frozenset(above.values())))
        self._recall().keep_principal(principal)
        return principal

    def _list_memberships(self, statement: Select[Any], sid: Sid) -> list[Row]:
        """Return memberships with their groups, each as this installation wrote it. Errors: StoredRowAltered."""
        rows = self._connection.execute(statement, {"sid": sid}).all()
        for row in rows:
            self._ledger.check(GROUPS, row)
            self._ledger.check(MEMBERS_ABOVE, row)
        return rows

    def _sort_users(self, rows: Iterable[Row]) -> tuple[User, ...]:
        """Return the users by name; sorted here, because databases differ in the order of letters."""
        return tuple(sorted(map(self._read_user, rows), key=lambda each: each.nt4_name.casefold()))

    def _read_user(self, row: Row) -> User:
        self._ledger.check(USERS, row)
        return read_user(row)

    def _read_grant(self, row: Row) -> Grant:
        self._ledger.check(RIGHTS, row)
        return read_grant(row)
