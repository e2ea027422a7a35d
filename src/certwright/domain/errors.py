"""Every way we say no.

``Refused``: the caller can act on it. ``Unavailable``: later may work. Anything else that is raised is a bug. A leaf has a
stable *code*, typed fields, and one text made from them; it knows nothing of HTTP.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(eq=False)
class CertwrightError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = ""

    @property
    def text(self) -> str:
        """Return the one sentence that says what is wrong and, where it can, what to do."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Refused(CertwrightError):
    """The caller can act: another value, another right, another time."""


class Unavailable(CertwrightError):
    """Nothing is wrong with the question; we cannot answer it now."""


# -- who ---------------------------------------------------------------------------------------------------------------


class NotSignedIn(Refused):
    """No proof of identity that we accept."""


class CredentialsMissing(NotSignedIn):
    code = "credentials-missing"

    @property
    def text(self) -> str:
        return "Sign in first: this server wants to know who asks."


class CredentialsRejected(NotSignedIn):
    """The account is unknown, disabled, or the password is wrong: which of them is not told."""

    code = "credentials-rejected"

    @property
    def text(self) -> str:
        return "The account name or the password is not right, or the account may not sign in."


@dataclass(eq=False)
class SignInThrottled(NotSignedIn):
    code = "sign-in-throttled"
    retry_after_seconds: int

    @property
    def text(self) -> str:
        return f"Too many failed sign-ins; the next is looked at in {self.retry_after_seconds} s."


@dataclass(eq=False)
class AccessDenied(Refused):
    """*reasons* name each right that was looked for and where; the first line is fit for anybody's eyes."""

    code = "access-denied"
    act: str
    reasons: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return f"You may not {self.act}." + "".join(f" {reason}" for reason in self.reasons)


@dataclass(eq=False)
class SubjectDisabled(Refused):
    code = "subject-disabled"
    account: str

    @property
    def text(self) -> str:
        return f"The account {self.account} is disabled: nothing is issued to it."


# -- what --------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class NotFound(Refused):
    """Nothing that the caller may know of has this identifier."""

    code = "not-found"
    kind: ClassVar[str] = "thing"
    name: UUID | str

    @property
    def text(self) -> str:
        return f"There is no {self.kind} {self.name}."


class RequestNotFound(NotFound):
    code = "request-not-found"
    kind = "request"


class ProfileTemplateNotFound(NotFound):
    code = "profile-template-not-found"
    kind = "profile template"


class ProfileNotFound(NotFound):
    code = "profile-not-found"
    kind = "profile"


class UserNotFound(NotFound):
    code = "user-not-found"
    kind = "user"


class GroupNotFound(NotFound):
    code = "group-not-found"
    kind = "group"


@dataclass(eq=False)
class PolicyMissing(Refused):
    """The template has no such policy, or it is switched off."""

    code = "policy-disabled"
    template: str
    request_type: str

    @property
    def text(self) -> str:
        return f"The profile template {self.template} takes no {self.request_type} requests."


# -- malformed input ---------------------------------------------------------------------------------------------------


class Malformed(Refused):
    """The question itself cannot be read, or lacks a part."""


@dataclass(eq=False)
class MalformedBody(Malformed):
    code = "malformed-body"
    detail: str

    @property
    def text(self) -> str:
        return f"The body is not what this call takes: {self.detail}."


@dataclass(eq=False)
class MalformedValue(Malformed):
    code = "malformed-value"
    field: str
    detail: str

    @property
    def text(self) -> str:
        return f"{self.field}: {self.detail}."


@dataclass(eq=False)
class TextTooLong(Malformed):
    code = "text-too-long"
    field: str
    limit_characters: int

    @property
    def text(self) -> str:
        return f"{self.field} is longer than {self.limit_characters} characters."


@dataclass(eq=False)
class CommentNotCollected(Malformed):
    code = "comment-not-collected"
    template: str

    @property
    def text(self) -> str:
        return f"The policy of {self.template} collects no comments: leave it empty."


@dataclass(eq=False)
class PriorityNotCollected(Malformed):
    code = "priority-not-collected"
    template: str

    @property
    def text(self) -> str:
        return f"The policy of {self.template} collects no priority: leave it out."


@dataclass(eq=False)
class DataItemMissing(Malformed):
    code = "data-item-missing"
    item: str

    @property
    def text(self) -> str:
        return f"The data item {self.item!r} is required."


@dataclass(eq=False)
class DataItemUnknown(Malformed):
    code = "data-item-unknown"
    item: str

    @property
    def text(self) -> str:
        return f"The policy collects no data item {self.item!r}."


@dataclass(eq=False)
class DataItemRepeated(Malformed):
    code = "data-item-repeated"
    item: str

    @property
    def text(self) -> str:
        return f"The data item {self.item!r} is given more than once."


@dataclass(eq=False)
class RulesBroken(Refused):
    """Several rules at once, so that a caller mends them in one go."""

    code = "rules-broken"
    broken: tuple[Refused, ...]

    @property
    def text(self) -> str:
        return " ".join(each.text for each in self.broken)


def check_none_broken(broken: list[Refused]) -> None:
    """Raise the one refusal of *broken* as itself, several as `RulesBroken`, none not at all."""
    if len(broken) == 1:
        raise broken[0]
    if broken:
        raise RulesBroken(tuple(broken))


# -- wrong moment ------------------------------------------------------------------------------------------------------


class WrongState(Refused):
    """The question is well formed, but not now."""


@dataclass(eq=False)
class TransitionRefused(WrongState):
    code = "transition-refused"
    status: str
    action: str

    @property
    def text(self) -> str:
        return f"A request that is {self.status} cannot {self.action}."


@dataclass(eq=False)
class ChangedMeanwhile(WrongState):
    """Somebody was first; reading again shows what they did."""

    code = "changed-meanwhile"
    kind: str

    @property
    def text(self) -> str:
        return f"The {self.kind} was changed by somebody else at the same moment: read it again."


@dataclass(eq=False)
class PlaceTaken(WrongState):
    code = "place-taken"
    place: int

    @property
    def text(self) -> str:
        return f"Certificate request {self.place + 1} differs from the one that was already answered: repeat that one."


@dataclass(eq=False)
class CertificatesMissing(WrongState):
    code = "certificates-missing"
    delivered: int
    planned: int

    @property
    def text(self) -> str:
        return f"{self.delivered} of {self.planned} certificates were delivered: the request is not complete."


@dataclass(eq=False)
class KeyMadeByServer(WrongState):
    code = "server-keys-unsupported"
    template: str

    @property
    def text(self) -> str:
        return f"The profile template {self.template} has keys made by the server, which this version does not make."


@dataclass(eq=False)
class ProfilesExhausted(WrongState):
    code = "profiles-exhausted"
    template: str
    limit: int

    @property
    def text(self) -> str:
        return f"The subject already has {self.limit} active profiles of {self.template}, as many as its policy allows."


# -- certificate requests ----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class SubmissionMismatch(Malformed):
    code = "certificate-request-count"
    given: int
    planned: int

    @property
    def text(self) -> str:
        return f"{self.given} certificate requests were sent, the generation options ask for {self.planned}."


class CertificateRequestRejected(Refused):
    """One certificate request cannot be answered; the others can."""


@dataclass(eq=False)
class MalformedCertificateRequest(CertificateRequestRejected):
    code = "malformed-certificate-request"
    detail: str

    @property
    def text(self) -> str:
        return f"This is no PKCS#10 certificate request: {self.detail}."


class SignatureInvalid(CertificateRequestRejected):
    code = "signature-invalid"

    @property
    def text(self) -> str:
        return "The certificate request is not signed by the key it asks a certificate for."


@dataclass(eq=False)
class HashRefused(CertificateRequestRejected):
    code = "hash-refused"
    given: str
    wanted: str

    @property
    def text(self) -> str:
        return f"The certificate request is signed with {self.given}; the template asks for {self.wanted} or stronger."


@dataclass(eq=False)
class KeyAlgorithmRefused(CertificateRequestRejected):
    code = "key-algorithm-refused"
    given: str
    wanted: str

    @property
    def text(self) -> str:
        return f"The key is {self.given}; the template asks for {self.wanted}."


@dataclass(eq=False)
class KeyTooSmall(CertificateRequestRejected):
    code = "key-too-small"
    given_bits: int
    wanted_bits: int

    @property
    def text(self) -> str:
        return f"The key has {self.given_bits} bits; the template asks for at least {self.wanted_bits}."


@dataclass(eq=False)
class KeyWeak(CertificateRequestRejected):
    code = "key-weak"
    weakness: str

    @property
    def text(self) -> str:
        return f"The key is known to be weak: {self.weakness}."


class KeyOfSomebodyElse(CertificateRequestRejected):
    code = "key-of-somebody-else"

    @property
    def text(self) -> str:
        return "The key is already certified for another user."


@dataclass(eq=False)
class NameRefused(CertificateRequestRejected):
    code = "name-refused"
    detail: str

    @property
    def text(self) -> str:
        return f"The name cannot be certified: {self.detail}."


@dataclass(eq=False)
class ValidityRefused(CertificateRequestRejected):
    code = "validity-refused"
    detail: str

    @property
    def text(self) -> str:
        return f"The validity cannot be certified: {self.detail}."


# -- what an administrator defines -------------------------------------------------------------------------------------


@dataclass(eq=False)
class DefinitionInvalid(Refused):
    """A template, a world file or a setting breaks a rule; *where* is its dotted path."""

    code = "definition-invalid"
    where: str
    detail: str

    @property
    def text(self) -> str:
        return f"{self.where}: {self.detail}."


@dataclass(eq=False)
class EscalationPath(Refused):
    """A template through which somebody could become somebody else. Source: the names ESC1 to ESC3 and ESC9 are those
    of the Certified Pre-Owned paper and its successors."""

    code = "escalation-path"
    where: str
    path: str
    detail: str

    @property
    def text(self) -> str:
        return f"{self.where}: {self.detail} ({self.path})."


# -- not now -----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class KeyUnavailable(Unavailable):
    code = "key-unavailable"
    name: str

    @property
    def text(self) -> str:
        return f"The key {self.name} cannot be used: wrong passphrase, or not of this installation."


@dataclass(eq=False)
class StoreUnavailable(Unavailable):
    code = "store-unavailable"
    detail: str

    @property
    def text(self) -> str:
        return f"The database cannot be used: {self.detail}."
