"""The REST API v1.0, seen from a client."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from certwright.client.errors import AddressUnsafe, AnswerUnfit, ServerRefused, ServerUnreachable

PREFIX = "/CertificateManagement/api/v1.0"
OWN_PREFIX = "/CertificateManagement/api/v1.1"
"""Where calls are that the documented API has not."""
TIMEOUT_SECONDS = 60
PENDING = 16
"""The status of a request that waits for approval. Source: domain.md 1.2."""

POLICY_NAMES = {1: "Enroll", 2: "Recover", 3: "Renew", 6: "Duplicate", 10: "OnlineUpdate"}
"""The kinds of request that certificates come of for their subject. Source: domain.md 1.1."""
HIDDEN = "(not shown)"
_SECRETS = ("pfxpassword", "onetimepasswords", "currentpassword", "newpassword")

Body = TypeVar("Body")


class TemplateSummary(msgspec.Struct, frozen=True):
    """One entry of the list of profile templates. Source: domain.md 2.6."""

    name: str = msgspec.field(name="Name")
    id: UUID = msgspec.field(name="Uuid")
    description: str = msgspec.field(name="Description", default="")
    is_smartcard: bool = msgspec.field(name="IsSmartcardProfileTemplate", default=False)


class GenerationOptions(msgspec.Struct, frozen=True):
    """How the client is to make one key and its request. Source: domain.md 2.11. Units: *key_size* in bits."""

    algorithm: str = msgspec.field(name="KeyAlgorithmName")
    key_size: int = msgspec.field(name="KeySize")
    hash: str = msgspec.field(name="HashAlgorithmName", default="SHA256")
    usages: int = msgspec.field(name="KeyUsages", default=0)


class RequestSummary(msgspec.Struct, frozen=True):
    """What a client needs to know of a request that it executes. Source: domain.md 2.1."""

    id: UUID = msgspec.field(name="Uuid")
    type: int = msgspec.field(name="RequestType")
    template_id: UUID = msgspec.field(name="ProfileTemplateUuid")
    originator_id: UUID = msgspec.field(name="OriginatorUserUuid")
    target_id: UUID = msgspec.field(name="TargetUserUuid")
    status: int = msgspec.field(name="Status", default=0)


class _PasswordsBody(msgspec.Struct):
    count: int = msgspec.field(name="Count", default=0)


class _PolicyBody(msgspec.Struct):
    passwords: _PasswordsBody = msgspec.field(name="OneTimePasswordPolicy", default_factory=_PasswordsBody)


class CertificateError(msgspec.Struct, frozen=True):
    """Why there is no certificate. Older servers say it in a sentence instead."""

    message: str = msgspec.field(name="Message", default="")
    code: str = msgspec.field(name="ErrorCode", default="")

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class CertificateAnswer(msgspec.Struct, frozen=True):
    """One certificate of an answer. Shape: *pkcs7* and *pfx* are base64 with line ends. Source: domain.md 2.4."""

    template: str = msgspec.field(name="TemplateCommonName")
    pkcs7: str | None = msgspec.field(name="Pkcs7", default=None)
    pfx: str | None = msgspec.field(name="Pfx", default=None)
    error: CertificateError | str | None = msgspec.field(name="Error", default=None)
    is_external: bool = msgspec.field(name="IsExternal", default=False)
    is_server_generated: bool = msgspec.field(name="isServerGenerated", default=False)
    is_key_history: bool = msgspec.field(name="isKeyHistory", default=False)

    @property
    def is_older(self) -> bool:
        """Return whether the certificate was there before the request: from elsewhere, or kept for what is encrypted."""
        return self.is_external or self.is_key_history

    @property
    def is_for_own_key(self) -> bool:
        """Return whether it answers a certificate request that was sent."""
        return not (self.is_older or self.is_server_generated or self.pfx is not None)


class _ErrorBody(msgspec.Struct):
    message: str = msgspec.field(name="Message", default="")
    code: str = msgspec.field(name="ErrorCode", default="")
    correlation_id: str = msgspec.field(name="CorrelationId", default="")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call, for whoever watches. *sent* and *received* are bodies as they went over the wire, empty for none; but for
    passwords."""

    method: str
    path: str
    sent: str
    status: int
    received: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is and who asks it. Shape: *ca* is a PEM file to trust beside or instead of the system's roots."""

    url: str
    user: str
    password: str
    ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """What goes with certificate requests. Shape: *pfx* protects keys that the server makes; *one_time* prove who executes."""

    one_time: Sequence[str] = field(default=(), repr=False)
    pfx: str = field(default="", repr=False)


NO_PASSWORDS = Passwords()


class RestClient:
    """A signed-in session with one server; a context manager that closes its connections.

    Errors: every method may raise ServerRefused, ServerUnreachable and AnswerUnfit.
    """

    def __init__(self, server: Server, watch: Callable[[Exchange], None] = lambda _: None) -> None:
        host = get_host(server.url)
        self._watch = watch
        self._server = server
        self._client = httpx.Client(
            base_url=server.url.rstrip("/") + PREFIX,
            auth=httpx.BasicAuth(server.user, server.password),
            verify=_trust(server.ca),
            timeout=TIMEOUT_SECONDS,
            # Proxies of the environment are for other machines than this one.
            trust_env=not is_loopback(host),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def list_profile_templates(self) -> tuple[TemplateSummary, ...]:
        """Return the profile templates that the user may read."""
        return self._call("GET", "/profiletemplates", tuple[TemplateSummary, ...], empty=())

    def create_enroll_request(self, template_id: UUID, *, comment: str = "", data: Mapping[str, str] | None = None) -> UUID:
        """Return the identifier of a new Enroll request of the user for himself.

        Errors: those of the server; AnswerUnfit when it does not say which request it made.
        """
        body = {
            "datacollection": [{name: value} for name, value in (data or {}).items()],
            "type": "Enroll",
            "profiletemplateuuid": str(template_id),
            "comment": comment,
        }
        path = self._call("POST", "/requests", str, body)
        try:
            return UUID(path.rstrip("/").rpartition("/")[2])
        except ValueError:
            raise AnswerUnfit("answer-unfit", "The server did not say which request it made.") from None

    def bind_card(self, request_id: UUID, card_id: UUID) -> None:
        """Bind the card of that identifier to the request. Once more changes nothing."""
        self._call("POST", "/smartcards", str, {"requestid": str(request_id), "cardid": str(card_id)})

    def get_request(self, request_id: UUID) -> RequestSummary:
        """Return the request."""
        return self._call("GET", f"/requests/{request_id}", RequestSummary)

    def count_one_time_passwords(self, request: RequestSummary) -> int:
        """Return how many one-time passwords the policy of the request has: none where the subject has started it himself."""
        name = POLICY_NAMES.get(request.type)
        if request.originator_id == request.target_id or name is None:
            return 0
        path = f"/profiletemplates/{request.template_id}/policies/{name}"
        return self._call("GET", path, _PolicyBody, empty=_PolicyBody()).passwords.count

    def list_generation_options(self, request_id: UUID) -> tuple[GenerationOptions, ...]:
        """Return how to make each key that the request wants from the client, in the order of the requests to send."""
        path = f"/requests/{request_id}/certificaterequestgenerationoptions"
        return self._call("GET", path, tuple[GenerationOptions, ...], empty=())

    def submit(
        self,
        request_id: UUID,
        certificate_requests: Sequence[str],
        comment: str = "",
        passwords: Passwords = NO_PASSWORDS,
    ) -> tuple[CertificateAnswer, ...]:
        """Return one answer for each certificate request, and then one for each key that the server made.

        The same requests again get the same certificates.
        """
        body: dict[str, object] = {
            "pfxpassword": passwords.pfx,
            "certificaterequests": list(certificate_requests),
            "comments": comment,
        }
        if passwords.one_time:
            body["onetimepasswords"] = list(passwords.one_time)
        return self._call("POST", f"/requests/{request_id}/certificatedata", tuple[CertificateAnswer, ...], body)

    def set_status(self, request_id: UUID, status: str) -> None:
        """Mark the request ``Completed``, ``Canceled`` or ``Abandoned``."""
        self._call("PUT", f"/requests/{request_id}", msgspec.Raw, {"status": status})

    def change_password(self, new: str) -> None:
        """Replace the password of the user who is signed in."""
        url = f"{self._server.url.rstrip('/')}{OWN_PREFIX}/password"
        body = {"currentpassword": self._server.password, "newpassword": new}
        self._call("PUT", url, msgspec.Raw, body, empty=msgspec.Raw())

    def _call(self, method: str, path: str, shape: type[Body], body: object = None, *, empty: Body | None = None) -> Body:
        sent = b"" if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"} if sent else {}
        try:
            answer = self._client.request(method, path.lstrip("/"), content=sent or None, headers=headers)
        except httpx.HTTPError as error:
            raise ServerUnreachable("server-unreachable", f"{self._client.base_url.host}: {_explain(error)}") from error
        shown = _hide_secrets(body) if isinstance(body, dict) else sent
        self._watch(Exchange(method, answer.request.url.path, shown.decode(), answer.status_code, answer.text))
        if not answer.is_success:
            raise _read_refusal(answer)
        if answer.status_code == httpx.codes.NO_CONTENT and empty is not None:
            return empty
        try:
            return msgspec.json.decode(answer.content, type=shape)
        except msgspec.DecodeError as error:
            raise AnswerUnfit("answer-unfit", f"{method} {path} was answered with something else: {error}.") from error


def get_host(url: str) -> str:
    """Return the host of *url*, after it proved to be one to which a password can be sent.

    Over plain HTTP that is this machine alone, where no network is crossed: a server behind a proxy is served so.

    Errors: AddressUnsafe.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressUnsafe("address-malformed", f"{url} is no address: {error}.") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise AddressUnsafe("address-malformed", f"{url} is no address such as https://ca.example.com:8443.")
    if parts.scheme == "http" and not is_loopback(host):
        raise AddressUnsafe(
            "address-unsafe", f"Over http:// the password would cross the network in clear: use https://{parts.netloc}."
        )
    return host


def is_loopback(host: str) -> bool:
    """Return whether only this machine is reached by that name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _hide_secrets(body: Mapping[str, object]) -> bytes:
    """Return the body as others may see it."""
    return msgspec.json.encode({name: HIDDEN if name in _SECRETS and value else value for name, value in body.items()})


def _trust(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ServerUnreachable("ca-unreadable", f"{ca} holds no certificates in PEM form.") from error


def _explain(error: httpx.HTTPError) -> str:
    """Return what went wrong and, where the cause is a common one, what to do."""
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"its certificate is not trusted: name its root with --ca, DATA/ca.pem of the installation ({text})."
    return f"{text}. Is the server running there?"


def _read_refusal(answer: httpx.Response) -> ServerRefused:
    """Return what the server said, in an object, or in a sentence, or by the status alone."""
    try:
        said = msgspec.json.decode(answer.content, type=_ErrorBody | str)
    except msgspec.DecodeError:
        said = ""
    body = _ErrorBody(message=said) if isinstance(said, str) else said
    if answer.is_redirect and not body.message:
        body.message = f"It wants to be asked at {answer.headers.get('location', 'another address')}; name that one with --url."
    code = body.code or f"http-{answer.status_code}"
    return ServerRefused(code, body.message or answer.reason_phrase, answer.status_code, body.correlation_id)
