"""How much memory the bodies of all calls in progress take together: each may be small enough, and all of them too much."""

from certwright.wire.rest.faults import WireFault, WireRefusal

RETRY_AFTER_SECONDS = 5
DEFAULT_OCTETS = 134_217_728


class BodyRoom:
    """The octets of bodies that a process keeps at a time. Shape: used by its event loop alone."""

    def __init__(self, octets: int = DEFAULT_OCTETS) -> None:
        self.left = octets


class BodyPlace:
    """What one body takes of a room."""

    __slots__ = ("_octets", "_room")

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self._octets = 0

    def grow_to(self, octets: int) -> None:
        """Take as much as is wanted for a body of *octets*. Errors: WireRefusal (503) when the room has not that much left."""
        more = octets - self._octets
        if more <= 0:
            return
        if more > self._room.left:
            raise WireRefusal(WireFault.BODIES_EXHAUSTED, ("Retry-After", str(RETRY_AFTER_SECONDS)))
        self._room.left -= more
        self._octets = octets

    def leave(self) -> None:
        """Give everything back."""
        self._room.left += self._octets
        self._octets = 0
