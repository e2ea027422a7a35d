"""What a process remembers between sessions: what never changes, and what the directory's revision vouches for."""

from uuid import UUID

from certwright.domain.grants import Grants
from certwright.domain.identities import Principal, UserId
from certwright.domain.profile_templates import ProfileTemplate

PRINCIPALS_LIMIT = 10_000
"""About 20 MB; one more and the memory starts again."""


class DirectoryMemory:
    """People and rights as they are at one revision of the directory, of which the rights have one of their own."""

    def __init__(self, revision: int, grants_revision: int) -> None:
        self.revision = revision
        self.grants_revision = grants_revision
        self.grants: Grants | None = None
        self._principals: dict[UserId, Principal] = {}
        self._names: dict[tuple[str, ...], UserId] = {}

    def find_principal(self, user_id: UserId) -> Principal | None:
        """Return the user if he was looked up before."""
        return self._principals.get(user_id)

    def find_name(self, *name: str) -> UserId | None:
        """Return whom the name meant when it was looked up before."""
        return self._names.get(name)

    def keep_principal(self, principal: Principal) -> None:
        """Remember a user."""
        if len(self._principals) >= PRINCIPALS_LIMIT:
            self._principals.clear()
        self._principals[principal.user.id] = principal

    def keep_name(self, user_id: UserId, *name: str) -> None:
        """Remember a name that is somebody's; names of nobody are not kept, as there is no end to them."""
        if len(self._names) >= PRINCIPALS_LIMIT:
            self._names.clear()
        self._names[name] = user_id


class Memory:
    """Shared by all sessions of a store; single dictionary operations keep it whole without a lock."""

    def __init__(self) -> None:
        self.templates: dict[tuple[UUID, int], ProfileTemplate] = {}
        self._directory = DirectoryMemory(-1, -1)

    def at_revision(self, revision: int, grants_revision: int) -> DirectoryMemory:
        """Return what is remembered of *revision*; a session with an older view than others gets an empty one for itself.

        Rights are remembered for longer than people: there may be very many, and they change less often.
        """
        current = self._directory
        if current.revision == revision:
            return current
        fresh = DirectoryMemory(revision, grants_revision)
        if grants_revision == current.grants_revision:
            fresh.grants = current.grants
        if revision > current.revision:
            self._directory = fresh
        return fresh

    def forget(self) -> None:
        """Forget everything: a transaction was lost that others may have looked into."""
        self.templates = {}
        self._directory = DirectoryMemory(-1, -1)
