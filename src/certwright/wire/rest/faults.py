"""What HTTP itself is answered with: codes that no use case has a part in.

Source: the decision "malformed input ..." of domain.md for the statuses.
"""

from enum import Enum

LIMIT_OCTETS = 5 * 1024 * 1024
"""The longest body that is read: certificate requests."""
DATA_LIMIT_OCTETS = 512 * 1024
"""The longest body with data items; each may have 4,000 characters."""
PLAIN_LIMIT_OCTETS = 64 * 1024
"""The longest body of all other calls."""


class WireFault(Enum):
    """Each code of routing, of reading and of a failure inside, with its status, its text, and when it is answered.

    Shape: the codes of everything else are those of `certwright.domain.errors`; no code is in both.
    """

    MALFORMED_HTTP = (400, "malformed-http", "This is not a call of HTTP/1.1.", "The octets are none of HTTP.")
    HOST_HEADER_WRONG = (
        400,
        "host-header-wrong",
        "A call of HTTP/1.1 has one Host header.",
        "The header Host is missing, or there is more than one.",
    )
    TOO_MANY_CALLS = (
        400,
        "too-many-calls",
        "Too many calls were sent on this connection before the first was answered: wait for the answers.",
        "A client pipelines more calls than are kept waiting.",
    )
    REQUEST_LINE_TOO_LONG = (
        414,
        "request-line-too-long",
        "The request line is longer than this server takes.",
        "The method, path and query are longer than server.request_line_limit.",
    )
    HEADERS_TOO_LARGE = (
        431,
        "headers-too-large",
        "The headers are longer, or more, than this server takes.",
        "The headers are longer than server.headers_limit.",
    )
    ROUTE_UNKNOWN = (404, "route-unknown", "There is nothing at this address.", "No call of the API has this path.")
    METHOD_NOT_ALLOWED = (
        405,
        "method-not-allowed",
        "This address is not asked in this way: see Allow.",
        "The path takes other methods, which the header Allow lists.",
    )
    BODY_TOO_LARGE = (
        413,
        "body-too-large",
        "The body is longer than this call takes.",
        f"The body is longer than {LIMIT_OCTETS} octets for certificatedata, {DATA_LIMIT_OCTETS} where requests are opened and "
        f"changed, and {PLAIN_LIMIT_OCTETS} elsewhere.",
    )
    BODIES_EXHAUSTED = (
        503,
        "request-bodies-exhausted",
        "The server has as many octets of request bodies in progress as it takes: send this again after some seconds.",
        "The bodies of calls in progress are longer together than server.bodies_limit, or those of one account than a quarter.",
    )
    CONTENT_TYPE_REFUSED = (
        415,
        "content-type-refused",
        "The Content-Type of a body has to be application/json.",
        "The body is said to be something else than JSON.",
    )
    CHARSET_REFUSED = (
        415,
        "charset-refused",
        "The charset of a body has to be utf-8; utf-16 and windows-1252 are read, too.",
        "The Content-Type states a charset that is not known.",
    )
    CONTENT_ENCODING_REFUSED = (
        415,
        "content-encoding-refused",
        "The body has a Content-Encoding: send it as it is, not compressed.",
        "The body is compressed.",
    )
    INTERNAL_ERROR = (
        500,
        "internal-error",
        "Something went wrong on the server. Its log has the cause under this correlation identifier.",
        "The one code of a 500, whatever its cause, but for stored-row-altered.",
    )

    def __init__(self, status: int, code: str, text: str, when: str) -> None:
        self.status = status
        self.code = code
        self.text = text
        self.when = when


class WireRefusal(Exception):
    """HTTP itself was used wrongly; no use case was asked. Shape: *headers* go with the answer."""

    def __init__(self, fault: WireFault, *headers: tuple[str, str]) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.headers = headers
