"""From what went wrong to what the client is told. The one table from errors to HTTP status is in here.

Source: the last table of domain.md, "malformed input ..." and "error body"; its 8, number 40: no status that old clients
do not know, with one exception. While the database cannot be used, the answer is 503 with Retry-After, as a proxy's would be:
nothing was done, and the same call may succeed later.
"""

from dataclasses import dataclass
from typing import Self
from uuid import UUID, uuid4

import structlog
from msgspec import UNSET, Struct, UnsetType, field

from certwright.domain import errors as domain
from certwright.domain.bounded_events import format_for_display
from certwright.domain.errors import CertwrightError, RulesBroken, SignInThrottled, StoreUnavailable
from certwright.domain.identities import Caller
from certwright.wire.rest.faults import WireFault, WireRefusal
from certwright.wire.rest.rare_lines import RareLine

STATUS_OF: dict[type[CertwrightError], int] = {
    domain.CredentialsMissing: 401,
    domain.CredentialsRejected: 401,
    domain.SchemeNotOffered: 401,
    domain.SignInThrottled: 401,
    domain.AccessDenied: 403,
    domain.SubjectDisabled: 403,
    domain.OneTimePasswordsMissing: 403,
    domain.OneTimePasswordsRejected: 403,
    domain.RequestNotFound: 404,
    domain.ProfileTemplateNotFound: 404,
    domain.CertificateTemplateNotFound: 404,
    domain.ProfileNotFound: 404,
    domain.SmartcardNotFound: 404,
    domain.UserNotFound: 404,
    domain.GroupNotFound: 404,
    domain.OutboxMessageNotFound: 404,
    domain.MalformedBody: 400,
    domain.MalformedValue: 400,
    domain.TextTooLong: 400,
    domain.PriorityNotCollected: 400,
    domain.ValidationDataRequired: 400,
    domain.DataItemUnknown: 400,
    domain.DataItemRepeated: 400,
    domain.ValidationDataType: 400,
    domain.ValidationRegularExpression: 400,
    domain.DataItemNotYours: 400,
    domain.ChoiceNotOffered: 400,
    domain.RulesBroken: 400,
    domain.SubmissionMismatch: 400,
    domain.PfxPasswordMissing: 400,
    domain.PfxPasswordTooShort: 400,
    domain.PfxPasswordUnusable: 400,
    domain.RecoveryAgentNotFound: 404,
    domain.PasswordTooShort: 400,
    domain.PasswordGuessable: 400,
    domain.CurrentPasswordWrong: 403,
    domain.PolicyMissing: 409,
    domain.RecoveryAgentMissing: 409,
    domain.RecoveryAgentOffline: 409,
    domain.RecoveryAgentExists: 409,
    domain.RecoveryAgentNeeded: 409,
    domain.ArchiveUnreadable: 409,
    domain.TransitionRefused: 409,
    domain.ChangedMeanwhile: 409,
    domain.PlaceTaken: 409,
    domain.CertificatesMissing: 409,
    domain.ProfilesExhausted: 409,
    domain.OpenRequestsExhausted: 409,
    domain.DuplicatesExhausted: 409,
    domain.ProfileStateRefused: 409,
    domain.RequestAlreadyOpen: 409,
    domain.AlreadyApproved: 409,
    domain.ApprovalsMissing: 409,
    domain.AnswersApproved: 409,
    domain.NothingArchived: 409,
    domain.DeliversNothing: 409,
    domain.DataIncomplete: 409,
    domain.NoOneTimePasswords: 409,
    domain.OneTimePasswordsOver: 409,
    domain.OneTimePasswordsUndeliverable: 409,
    domain.TemplateInUse: 409,
    domain.GroupInUse: 409,
    domain.CardMissing: 409,
    domain.CardNotTaken: 409,
    domain.CardBoundAlready: 409,
    domain.CardInUse: 409,
    domain.CardRetired: 409,
    domain.CardDiffers: 409,
    domain.AtrDiffers: 409,
    domain.CardStateRefused: 409,
    domain.CardSecretNotNeeded: 409,
    domain.TemporaryCardsExhausted: 409,
    domain.KeyNotDiversified: 409,
    domain.KeyShared: 409,
    domain.ChallengesExhausted: 409,
    # These stand in the Error of one certificate of an answer; as the answer to a whole call they would be bad input.
    domain.MalformedCertificateRequest: 400,
    domain.SignatureInvalid: 400,
    domain.HashRefused: 400,
    domain.KeyAlgorithmRefused: 400,
    domain.KeyTooSmall: 400,
    domain.KeyWeak: 400,
    domain.KeyCompromised: 400,
    domain.KeyOfSomebodyElse: 400,
    domain.NameRefused: 400,
    domain.ValidityRefused: 400,
    # A client cannot mend what an administrator defined; the command line meets most of these.
    domain.ExternalAuthority: 400,
    domain.ExternalExpired: 400,
    domain.ExternalFileUnreadable: 400,
    domain.ExternalKeyMisfit: 400,
    domain.ExternalKeysSeveral: 400,
    domain.ExternalKeyWeak: 400,
    domain.ExternalPasswordWrong: 400,
    domain.ExternalKnown: 409,
    domain.ExternalNotTaken: 409,
    domain.InstallationExists: 500,
    domain.InstallationMissing: 500,
    domain.NotOfDemo: 500,
    domain.SecretUnavailable: 500,
    domain.AddressUnavailable: 500,
    domain.ServingFailed: 500,
    domain.TlsCertificateMissing: 500,
    domain.TlsFilesUnavailable: 500,
    domain.CheckpointUnavailable: 500,
    domain.DefinitionInvalid: 500,
    domain.EscalationPath: 500,
    domain.RolesCombined: 500,
    domain.KeyUnavailable: 500,
    domain.KeyVersionUnavailable: 500,
    domain.SealedByPassphrase: 500,
    domain.StoreUnavailable: 503,
    domain.StoredRowAltered: 500,
    domain.RootCertificateDiffers: 500,
    domain.ReceiverUnavailable: 500,
    domain.DeliveryDeferred: 500,
    domain.DeliveryRejected: 500,
    domain.MailNotConfigured: 500,
}
"""Every leaf of the tree of errors (a test looks)."""

_ABOUT_ITEMS = (
    domain.DataItemNotYours,
    domain.DataItemRepeated,
    domain.DataItemUnknown,
    domain.ValidationDataRequired,
    domain.ValidationDataType,
    domain.ValidationRegularExpression,
)

RETRY_AFTER_SECONDS = 5
"""After which a client may try again when the database could not be used."""

OUTAGE_TEXT = "The database cannot be used at the moment. Nothing was changed; try again later."
"""What is wrong with it is of no use to the client, and stands in the log."""

ALTERED_TEXT = "What is stored was changed past the server, and nothing is done by it. Its log has the row."
"""What strangers may know of a row that was tampered with."""
_log = structlog.get_logger(__name__)
_outage = RareLine("database unavailable")


class ErrorDetail(Struct):
    """One broken rule."""

    code: str = field(name="ErrorCode")
    message: str = field(name="Message")
    field: str | UnsetType = field(name="Field", default=UNSET)


class CertificateErrorBody(Struct):
    """Why there is no certificate for one request of several. Source: CertificateRequestError in domain.md 2.12."""

    message: str = field(name="Message")
    code: str = field(name="ErrorCode")
    errors: list[ErrorDetail] | UnsetType = field(name="Errors", default=UNSET)

    @classmethod
    def of(cls, error: CertwrightError) -> Self:
        """Return *error* as the answer to a whole call would have it, but for what the call is found by."""
        return cls(error.text, error.code, _list_details(error))


class ErrorBody(Struct):
    """The body of every answer that says no."""

    message: str = field(name="Message")
    code: str = field(name="ErrorCode")
    correlation_id: UUID = field(name="CorrelationId")
    errors: list[ErrorDetail] | UnsetType = field(name="Errors", default=UNSET)


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """What is sent."""

    status: int
    body: ErrorBody
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Who asked for what. Shape: *route* is the address with the names of its values, *values* are those."""

    method: str
    route: str
    values: tuple[str, ...]
    source: str
    caller: Caller | None = None

    @property
    def object(self) -> str:
        """Return the identifiers in the address, as they may be shown."""
        return " ".join(format_for_display(each) for each in self.values)

    def describe(self) -> dict[str, str]:
        """Return the fields for a line of the log."""
        account = self.caller.user.nt4_name if self.caller else ""
        fields = {"account": account, "source": self.source, "method": self.method, "route": self.route, "object": self.object}
        return {name: value for name, value in fields.items() if value}


def is_denial(error: Exception) -> bool:
    """Return whether the caller is known, and may not do what was asked for."""
    return isinstance(error, CertwrightError) and STATUS_OF.get(type(error)) == 403


def answer_error(error: Exception, challenges: tuple[str, ...], origin: CallOrigin | None = None) -> ErrorAnswer:
    """Return what the client is told about *error*, and write to the log what it is not told.

    Shape: *challenges* are the WWW-Authenticate values that a 401 carries.
    """
    correlation_id = uuid4()
    log = _log.bind(correlation_id=str(correlation_id), **({} if origin is None else origin.describe()))
    if isinstance(error, StoreUnavailable):
        return _answer_outage(error, correlation_id)
    if isinstance(error, CertwrightError) and STATUS_OF.get(type(error), 500) < 500:
        return _answer_refusal(error, correlation_id, challenges, log)
    if isinstance(error, WireRefusal):
        log.info("refused", code=error.fault.code, status=error.fault.status)
        return _answer_fault(error.fault, correlation_id, error.headers)
    if isinstance(error, domain.StoredRowAltered):
        log.error("refused", code=error.code, kind=error.kind, key=error.key)
        return ErrorAnswer(500, ErrorBody(ALTERED_TEXT, error.code, correlation_id))
    log.error("failed", exc_info=error)
    return _answer_fault(WireFault.INTERNAL_ERROR, correlation_id)


def _answer_fault(fault: WireFault, correlation_id: UUID, headers: tuple[tuple[str, str], ...] = ()) -> ErrorAnswer:
    return ErrorAnswer(fault.status, ErrorBody(fault.text, fault.code, correlation_id), headers)


def _answer_outage(error: StoreUnavailable, correlation_id: UUID) -> ErrorAnswer:
    """Return the answer while the database cannot be used, which is one line of the log for many calls."""
    _outage.write(code=error.code, error=error.text, correlation_id=str(correlation_id))
    body = ErrorBody(OUTAGE_TEXT, error.code, correlation_id)
    return ErrorAnswer(STATUS_OF[type(error)], body, (("Retry-After", str(RETRY_AFTER_SECONDS)),))


def _answer_refusal(
    error: CertwrightError, correlation_id: UUID, challenges: tuple[str, ...], log: structlog.typing.WrappedLogger
) -> ErrorAnswer:
    status = STATUS_OF[type(error)]
    log.info("refused", code=error.code, status=status)
    body = ErrorBody(error.text, error.code, correlation_id, _list_details(error))
    headers = [("WWW-Authenticate", each) for each in challenges] if status == 401 else []
    if isinstance(error, SignInThrottled):
        headers.append(("Retry-After", str(error.retry_after_seconds)))
    return ErrorAnswer(status, body, tuple(headers))


def _list_details(error: CertwrightError) -> list[ErrorDetail] | UnsetType:
    """Return every broken rule; a single one only where it adds the name of a field."""
    if isinstance(error, RulesBroken):
        return [ErrorDetail(each.code, each.text, _find_field(each)) for each in error.broken]
    named = _find_field(error)
    return UNSET if named is UNSET else [ErrorDetail(error.code, error.text, named)]


def _find_field(error: CertwrightError) -> str | UnsetType:
    if isinstance(error, domain.MalformedValue | domain.TextTooLong | domain.ChoiceNotOffered):
        return error.field
    if isinstance(error, domain.PfxPasswordRefused):
        return "pfxpassword"
    if isinstance(error, _ABOUT_ITEMS):
        return error.item
    return UNSET
