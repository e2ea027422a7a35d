"""Private keys that the server makes, keeps and hands out."""

from dataclasses import dataclass
from uuid import UUID

from certwright.domain.errors.lookups import NotFound
from certwright.domain.errors.malformed import Malformed
from certwright.domain.errors.moments import WrongState


class PfxPasswordRefused(Malformed):
    """A private key is to be delivered, and what was sent cannot protect it. The password is never told."""


class PfxPasswordMissing(PfxPasswordRefused):
    """No password came for a file that needs one."""

    code = "pfx-password-missing"
    sentence = "The answer has private keys in it: send a pfxpassword to protect them. Nothing was issued."


@dataclass(eq=False)
class PfxPasswordTooShort(PfxPasswordRefused):
    """Too easily guessed."""

    code = "pfx-password-too-short"
    sentence = "The pfxpassword is too short: at least {minimum_characters} characters are wanted. Nothing was issued."
    minimum_characters: int


class PfxPasswordUnusable(PfxPasswordRefused):
    """Not every program would read it as the same text."""

    code = "pfx-password-unusable"
    sentence = "The pfxpassword has U+0000 or half a character in it, which no PFX file can carry. Nothing was issued."


@dataclass(eq=False)
class RecoveryAgentMissing(WrongState):
    """A key that nobody could recover is not archived; nothing is issued for it."""

    code = "recovery-agent-missing"
    sentence = (
        "The key of {template} is to be archived, and there is no recovery agent to archive it for: an administrator adds one "
        "with certwright keys agents add."
    )
    template: str


class KeyNotRecovered(WrongState):
    """One archived key cannot be given back; the others can."""


@dataclass(eq=False)
class RecoveryAgentOffline(KeyNotRecovered):
    """The agents who can read the key are not part of the server."""

    code = "recovery-agent-offline"
    sentence = (
        "The key of certificate {serial} is archived for agents that are offline: an operator gets it with certwright keys "
        "recover --request {request_id}, and then the same post delivers it."
    )
    serial: str
    request_id: UUID


@dataclass(eq=False)
class ArchiveUnreadable(KeyNotRecovered):
    """An archived key is damaged, missing, or another one than it should be."""

    code = "archive-unreadable"
    sentence = "The archived key of certificate {serial} cannot be read: {detail}."
    serial: str
    detail: str


@dataclass(eq=False)
class RecoveryAgentExists(WrongState):
    """Agents are told apart by their names and by their certificates."""

    code = "recovery-agent-exists"
    sentence = "There is a recovery agent {name} already, or another one with this certificate."
    name: str


@dataclass(eq=False)
class RecoveryAgentNotFound(NotFound):
    """No such agent."""

    code = "recovery-agent-not-found"
    sentence = "There is no recovery agent {name}."
    name: str


@dataclass(eq=False)
class RecoveryAgentNeeded(WrongState):
    """The last agent stays: keys would be archived for nobody."""

    code = "recovery-agent-needed"
    sentence = "{name} is the last recovery agent that is not retired: add another one first."
    name: str
