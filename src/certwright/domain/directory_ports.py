"""What we need of a directory of users, groups and rights. See `ports` for the others."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from certwright.domain.grants import Grant, Grants, ObjectKind
from certwright.domain.identities import Group, GroupId, GroupName, Principal, Sid, User, UserId


class Directory(Protocol):
    """Users, groups and rights. What it returns is as of the session it belongs to."""

    def revision(self) -> int:
        """Return a number that grows with every change of a user, group, password or right."""

    def find_principal(self, user_id: UserId) -> Principal | None:
        """Return the user with everything he is through groups, disabled ones included."""

    def find_account(self, domain: str, account_name: str) -> Principal | None:
        """Return whom ``DOMAIN\\account`` names, in any case; an empty *domain* means any, unless several have it."""

    def find_principal_name(self, principal_name: str) -> Principal | None:
        """Return whom a user principal name names, in any case."""

    def list_users(self) -> tuple[User, ...]:
        """Return all users by domain and account name."""

    def list_groups(self) -> tuple[Group, ...]:
        """Return all groups by name, each with its own members and not those of the groups in it."""

    def list_members(self, sid: Sid) -> tuple[User, ...]:
        """Return whom *sid* names: the user, or those in the group, through other groups too; by domain and account name."""

    def list_some_members(self, sid: Sid, limit: int) -> tuple[User, ...]:
        """Return those of `list_members` who are enabled; some *limit* of them where there are more."""

    def find_group(self, name: str) -> GroupName | None:
        """Return the group of that name, in any case, without its members; of several the one with the first SID."""

    def list_sids_above(self, sid: Sid) -> frozenset[Sid]:
        """Return *sid* and every group that holds it, directly or through other groups."""

    def name_sids(self, sids: Iterable[Sid]) -> Mapping[Sid, str]:
        """Return what people call the users, ``DOMAIN\\account``, and groups among *sids*."""

    def list_names_from(self, first: str, most: int) -> tuple[str, ...]:
        """Return *most* names of accounts, ``DOMAIN\\account``, and as many of groups: those that follow *first* in the order
        of names without their domains, in lower case; fewer where there are no more.
        """

    def load_grants(self) -> Grants: ...

    def list_grants_on(self, kind: ObjectKind, name: str) -> tuple[Grant, ...]:
        """Return the rights on one thing."""

    def list_grants_of(self, trustees: Iterable[Sid]) -> tuple[Grant, ...]:
        """Return the rights that *trustees* hold, each by its own name and not through groups."""

    def save_user(self, user: User) -> None:
        """Errors: DefinitionInvalid when his SID or one of his names is another's."""

    def save_group(self, group: Group) -> None:
        """Errors: DefinitionInvalid when its SID is another's."""

    def delete_group(self, group: GroupName) -> None:
        """Remove the group and its memberships; rights of it and in other groups stay as they are."""

    def list_groups_of(self, sid: Sid) -> tuple[str, ...]:
        """Return the names of the groups that hold *sid* themselves, not through other groups; by name."""

    def add_member(self, group_id: GroupId, member: Sid) -> bool:
        """Put *member* into the group, and return whether it was not in it."""

    def remove_member(self, group_id: GroupId, member: Sid) -> bool:
        """Take *member* out of the group, and return whether it was in it."""

    def add_grant(self, grant: Grant) -> bool:
        """Store one more right, and return whether there was none like it."""

    def remove_grant(self, grant: Grant) -> bool:
        """Remove the right, and return whether there was one."""

    def replace_grants(self, grants: Iterable[Grant]) -> None:
        """Make *grants* all the rights that there are."""

    def find_password_hash(self, user_id: UserId) -> str | None:
        """Return the hash, or None for who cannot sign in with a password."""

    def save_password_hash(self, user_id: UserId, password_hash: str) -> None: ...
