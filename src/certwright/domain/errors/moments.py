"""Questions that are well formed, but not now."""

from dataclasses import dataclass

from certwright.domain.errors.tree import Refused


class WrongState(Refused):
    """The question is well formed, but not now."""


@dataclass(eq=False)
class TransitionRefused(WrongState):
    """The table of moves has none for this action from this status."""

    code = "transition-refused"
    sentence = "A request that is {status} cannot {action}."
    status: str
    action: str


@dataclass(eq=False)
class ChangedMeanwhile(WrongState):
    """Somebody was first; reading again shows what they did."""

    code = "changed-meanwhile"
    sentence = "The {kind} was changed by somebody else at the same moment: read it again."
    kind: str


@dataclass(eq=False)
class PlaceTaken(WrongState):
    """A place that has its certificate was posted with another certificate request; *number* counts from 1."""

    code = "place-taken"
    sentence = "Certificate request {number} differs from the one that was already answered: repeat that one."
    number: int


@dataclass(eq=False)
class CertificatesMissing(WrongState):
    """A request cannot be completed before all its certificates are delivered."""

    code = "certificates-missing"
    sentence = "{delivered} of {planned} certificates were delivered: the request is not complete."
    delivered: int
    planned: int


@dataclass(eq=False)
class KeyMadeByServer(WrongState):
    """The template wants keys that the server makes."""

    code = "server-keys-unsupported"
    sentence = "The profile template {template} has keys made by the server, which this version does not make."
    template: str


@dataclass(eq=False)
class ProfilesExhausted(WrongState):
    """The policy allows no further active profile."""

    code = "profiles-exhausted"
    sentence = "The subject already has {limit} active profiles of {template}, as many as its policy allows."
    template: str
    limit: int
