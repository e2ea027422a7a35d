"""What HTTP itself is answered with: codes that no use case has a part in.

Source: the decision "malformed input ..." of domain.md for the statuses.
"""

from enum import Enum

LIMIT_OCTETS = 5 * 1024 * 1024
"""The longest body that is read."""


class WireFault(Enum):
    """Each code of routing, of reading and of a failure inside, with its status, its text, and when it is answered.

    Shape: the codes of everything else are those of `certwright.domain.errors`; no code is in both.
    """

    ROUTE_UNKNOWN = (404, "route-unknown", "There is nothing at this address.", "No call of the API has this path.")
    METHOD_NOT_ALLOWED = (
        405,
        "method-not-allowed",
        "This address is not asked in this way: see Allow.",
        "The path takes other methods, which the header Allow lists.",
    )
    BODY_TOO_LARGE = (413, "body-too-large", f"The body is longer than {LIMIT_OCTETS} octets.", "The body is too long.")
    CONTENT_TYPE_REFUSED = (
        415,
        "content-type-refused",
        "The Content-Type of a body has to be application/json.",
        "The body is said to be something else than JSON.",
    )
    INTERNAL_ERROR = (
        500,
        "internal-error",
        "Something went wrong on the server. Its log has the cause under this correlation identifier.",
        "The one code of a 500, whatever its cause.",
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
