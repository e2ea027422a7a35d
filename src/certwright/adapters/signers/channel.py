"""What a server and its signers say to each other: messages over a pair of sockets that nobody else can reach."""

import socket
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from certwright.domain.issuing import Issuer, Signed, SigningOrder

_LENGTH_OCTETS = 4
"""A message is led by its length, big-endian."""

Message = TypeVar("Message")


class Charge(Struct):
    """The first message: for whom to sign, and with which key (PKCS #8), which nothing but this socket ever carries."""

    issuer: Issuer
    key_name: str
    key: bytes


class Errand(Struct):
    """What is to be signed, in one go."""

    orders: Sequence[SigningOrder]


class Outcome(Struct):
    """What became of an errand: each order's certificate and answer, or None where the key is not the one for it."""

    signed: Sequence[Signed] | None


class Channel:
    """One end of the pair. Closed by either side, or by the end of its process, it is closed for both."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._reader = end.makefile("rb")

    def send(self, message: Struct) -> None:
        """Send the message. Errors: OSError when nobody is there any more."""
        encoded = msgspec.msgpack.encode(message)
        self._end.sendall(len(encoded).to_bytes(_LENGTH_OCTETS) + encoded)

    def receive(self, kind: type[Message]) -> Message | None:
        """Wait for the next message and return it; None when the other side is gone. Errors: OSError."""
        length = self._reader.read(_LENGTH_OCTETS)
        body = self._reader.read(int.from_bytes(length)) if len(length) == _LENGTH_OCTETS else b""
        # A message that was cut short is the last that will come.
        return msgspec.msgpack.decode(body, type=kind) if length and len(body) == int.from_bytes(length) else None

    def close(self) -> None:
        """Let go of the socket."""
        self._reader.close()
        self._end.close()
