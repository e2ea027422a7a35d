"""Every way we say no.

``Refused``: the caller can act on it. ``Unavailable``: later may work. Anything else that is raised is a bug. A leaf has a
stable *code*, typed fields, and one *sentence* that names them in braces; it knows nothing of HTTP.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(eq=False)
class CertwrightError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = ""
    sentence: ClassVar[str] = ""

    @property
    def text(self) -> str:
        """Return what is wrong and, where it can be said, what to do."""
        return self.sentence.format(**vars(self))

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
    """Nobody has signed in."""

    code = "credentials-missing"
    sentence = "Sign in first: this server wants to know who asks."


class CredentialsRejected(NotSignedIn):
    """The account is unknown, disabled, or the password is wrong: which of them is not told."""

    code = "credentials-rejected"
    sentence = "The account name or the password is not right, or the account may not sign in."


@dataclass(eq=False)
class SignInThrottled(NotSignedIn):
    """Too many wrong passwords for one account, or from one address."""

    code = "sign-in-throttled"
    sentence = "Too many failed sign-ins; the next is looked at in {retry_after_seconds} s."
    retry_after_seconds: int


@dataclass(eq=False)
class AccessDenied(Refused):
    """*reasons* name each right that was looked for and where; the first line is fit for anybody's eyes."""

    code = "access-denied"
    sentence = "You may not {act}."
    act: str
    reasons: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return what is not allowed, then what was missing."""
        return " ".join((super().text, *self.reasons))


@dataclass(eq=False)
class SubjectDisabled(Refused):
    """Nothing is issued to an account that the directory has switched off."""

    code = "subject-disabled"
    sentence = "The account {account} is disabled: nothing is issued to it."
    account: str


# -- what --------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class NotFound(Refused):
    """Nothing that the caller may know of has this identifier."""

    code = "not-found"
    sentence = "There is nothing called {name}."
    name: UUID | str


class RequestNotFound(NotFound):
    """No request has this identifier."""

    code = "request-not-found"
    sentence = "There is no request {name}."


class ProfileTemplateNotFound(NotFound):
    """No profile template has this identifier, or not in this version."""

    code = "profile-template-not-found"
    sentence = "There is no profile template {name}."


class ProfileNotFound(NotFound):
    """No profile has this identifier."""

    code = "profile-not-found"
    sentence = "There is no profile {name}."


class UserNotFound(NotFound):
    """The directory has no such user."""

    code = "user-not-found"
    sentence = "There is no user {name}."


class GroupNotFound(NotFound):
    """The directory has no such group."""

    code = "group-not-found"
    sentence = "There is no group {name}."


@dataclass(eq=False)
class PolicyMissing(Refused):
    """The template has no such policy, or it is switched off."""

    code = "policy-disabled"
    sentence = "The profile template {template} takes no {request_type} requests."
    template: str
    request_type: str


# -- malformed input ---------------------------------------------------------------------------------------------------


class Malformed(Refused):
    """The question itself cannot be read, or lacks a part."""


@dataclass(eq=False)
class MalformedBody(Malformed):
    """The body of a call is no JSON, or not of the wanted shape."""

    code = "malformed-body"
    sentence = "The body is not what this call takes: {detail}."
    detail: str


@dataclass(eq=False)
class MalformedValue(Malformed):
    """One value, named by its *field*, cannot be read."""

    code = "malformed-value"
    sentence = "{field}: {detail}."
    field: str
    detail: str


@dataclass(eq=False)
class TextTooLong(Malformed):
    """A text would not fit where it is kept."""

    code = "text-too-long"
    sentence = "{field} is longer than {limit_characters} characters."
    field: str
    limit_characters: int


@dataclass(eq=False)
class CommentNotCollected(Malformed):
    """A comment where the policy asks for none."""

    code = "comment-not-collected"
    sentence = "The policy of {template} collects no comments: leave it empty."
    template: str


@dataclass(eq=False)
class PriorityNotCollected(Malformed):
    """A priority where the policy asks for none."""

    code = "priority-not-collected"
    sentence = "The policy of {template} collects no priority: leave it out."
    template: str


@dataclass(eq=False)
class DataItemMissing(Malformed):
    """A required question was not answered."""

    code = "data-item-missing"
    sentence = "The data item {item!r:.100} is required."
    item: str


@dataclass(eq=False)
class DataItemUnknown(Malformed):
    """An answer to a question that was not asked."""

    code = "data-item-unknown"
    sentence = "The policy collects no data item {item!r:.100}."
    item: str


@dataclass(eq=False)
class DataItemRepeated(Malformed):
    """Two answers to one question."""

    code = "data-item-repeated"
    sentence = "The data item {item!r:.100} is given more than once."
    item: str


@dataclass(eq=False)
class RequestTypeUnsupported(Refused):
    """A kind of request that the product knows and this version does not run yet."""

    code = "request-type-unsupported"
    sentence = "This version does not run {name} requests."
    name: str


@dataclass(eq=False)
class RulesBroken(Refused):
    """Several rules at once, so that a caller mends them in one go."""

    code = "rules-broken"
    broken: tuple[Refused, ...]

    @property
    def text(self) -> str:
        """Return what each of the rules says."""
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


# -- certificate requests ----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class SubmissionMismatch(Malformed):
    """Not as many certificate requests as the generation options plan."""

    code = "certificate-request-count"
    sentence = "{given} certificate requests were sent, the generation options ask for {planned}."
    given: int
    planned: int


class CertificateRequestRejected(Refused):
    """One certificate request cannot be answered; the others can."""


@dataclass(eq=False)
class MalformedCertificateRequest(CertificateRequestRejected):
    """Not PKCS#10, or not the whole of it."""

    code = "malformed-certificate-request"
    sentence = "This is no PKCS#10 certificate request: {detail}."
    detail: str


class SignatureInvalid(CertificateRequestRejected):
    """There is no proof that the sender holds the private key."""

    code = "signature-invalid"
    sentence = "The certificate request is not signed by the key it asks a certificate for."


@dataclass(eq=False)
class HashRefused(CertificateRequestRejected):
    """The certificate request's own signature uses too weak a hash."""

    code = "hash-refused"
    sentence = "The certificate request is signed with {given}; the template asks for {wanted} or stronger."
    given: str
    wanted: str


@dataclass(eq=False)
class KeyAlgorithmRefused(CertificateRequestRejected):
    """Another algorithm or curve than the generation options say."""

    code = "key-algorithm-refused"
    sentence = "The key is {given}; the template asks for {wanted}."
    given: str
    wanted: str


@dataclass(eq=False)
class KeyTooSmall(CertificateRequestRejected):
    """A key shorter than the generation options say."""

    code = "key-too-small"
    sentence = "The key has {given_bits} bits; the template asks for at least {wanted_bits}."
    given_bits: int
    wanted_bits: int


@dataclass(eq=False)
class KeyWeak(CertificateRequestRejected):
    """A key that can be broken whatever its size."""

    code = "key-weak"
    sentence = "The key is known to be weak: {weakness}."
    weakness: str


class KeyOfSomebodyElse(CertificateRequestRejected):
    """The key belongs to another person; who it is is not told."""

    code = "key-of-somebody-else"
    sentence = "The key is already certified for another user."


@dataclass(eq=False)
class NameRefused(CertificateRequestRejected):
    """The directory gives no name that a certificate could carry."""

    code = "name-refused"
    sentence = "The name cannot be certified: {detail}."
    detail: str


@dataclass(eq=False)
class ValidityRefused(CertificateRequestRejected):
    """The certificate would not be valid, or longer than its issuer."""

    code = "validity-refused"
    sentence = "The validity cannot be certified: {detail}."
    detail: str


# -- what an administrator defines -------------------------------------------------------------------------------------


@dataclass(eq=False)
class DefinitionInvalid(Refused):
    """A template, a world file or a setting breaks a rule; *where* is its dotted path."""

    code = "definition-invalid"
    sentence = "{where}: {detail}."
    where: str
    detail: str


@dataclass(eq=False)
class EscalationPath(Refused):
    """A template through which somebody could become somebody else. Source: the names ESC1 to ESC3 and ESC9 are those
    of the Certified Pre-Owned paper and its successors."""

    code = "escalation-path"
    sentence = "{where}: {detail} ({path})."
    where: str
    path: str
    detail: str


# -- not now -----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class KeyUnavailable(Unavailable):
    """A private key of the server cannot be opened or used."""

    code = "key-unavailable"
    sentence = "The key {name} cannot be used: wrong passphrase, or not of this installation."
    name: str


@dataclass(eq=False)
class StoreUnavailable(Unavailable):
    """The database does not answer, or not for this version of the server."""

    code = "store-unavailable"
    sentence = "The database cannot be used: {detail}."
    detail: str


# -- the installation itself -------------------------------------------------------------------------------------------


@dataclass(eq=False)
class InstallationMissing(Unavailable):
    """A command was given a folder in which nothing was installed, or not to the end."""

    code = "installation-missing"
    sentence = "There is no installation in {folder}: make one with: certwright init --data {folder}"
    folder: str


@dataclass(eq=False)
class InstallationExists(WrongState):
    """What is there is never overwritten."""

    code = "installation-exists"
    sentence = (
        "There is an installation in {folder} already: name another folder, or start it with: certwright serve --data {folder}"
    )
    folder: str


@dataclass(eq=False)
class SecretUnavailable(Unavailable):
    """The place that the settings name for a secret is empty or closed. *place* is that name, never the secret."""

    code = "secret-unavailable"
    sentence = "The secret {place} cannot be read: {detail}."
    place: str
    detail: str


@dataclass(eq=False)
class AddressUnavailable(Unavailable):
    """The server cannot listen where it should."""

    code = "address-unavailable"
    sentence = "The server cannot listen on {address}: {detail}. Choose another one with --port or --host, or in the settings."
    address: str
    detail: str
