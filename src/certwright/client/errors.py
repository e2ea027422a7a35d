"""Why a client's work stopped. The server's own refusals keep the code that the server gave them."""

from dataclasses import dataclass


@dataclass(eq=False)
class ClientError(Exception):
    """Shape: *code* is stable; *text* is a sentence for people, with what to do where that is known."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(eq=False)
class ServerRefused(ClientError):
    """The server answered, and said no. *correlation_id* finds the call in the server's log."""

    status: int
    correlation_id: str = ""


class ServerUnreachable(ClientError):
    """No answer came."""


class AnswerUnfit(ClientError):
    """An answer came that a client must not trust or cannot read."""


class AddressUnsafe(ClientError):
    """An address to which no password is sent."""


class RequestPending(ClientError):
    """The request was opened, and waits for others to approve it."""


class FileExists(ClientError):
    """A file would have to be overwritten; keys never are."""
