"""How much memory the bodies of all calls in progress take together: each may be small enough, and all of them too much."""

from certwright.wire.rest.faults import LIMIT_OCTETS, WireFault, WireRefusal

RETRY_AFTER_SECONDS = 5
DEFAULT_OCTETS = 134_217_728
SHARE = 4
"""One account, or one source before it is known who calls, has at most this part of the room: 1 / 4, and at least one body."""


class BodyRoom:
    """The octets of bodies that a process keeps at a time. Shape: used by its event loop alone."""

    def __init__(self, octets: int = DEFAULT_OCTETS) -> None:
        self.left = octets
        self._share = max(LIMIT_OCTETS, octets // SHARE)
        self._of_holders: dict[str, int] = {}

    def take(self, holder: str, octets: int) -> bool:
        """Take *octets* more for *holder*, and return whether there were so many left."""
        held = self._of_holders.get(holder, 0) + octets
        if octets > self.left or held > self._share:
            return False
        self.left -= octets
        self._of_holders[holder] = held
        return True

    def give_back(self, holder: str, octets: int) -> None:
        """Have *octets* back from *holder*."""
        self.left += octets
        held = self._of_holders.pop(holder) - octets
        if held:
            self._of_holders[holder] = held


class BodyPlace:
    """What one body takes of a room. Shape: *holder* says whose it is; it stays what it is once something was taken."""

    __slots__ = ("_octets", "_room", "holder")

    def __init__(self, room: BodyRoom, holder: str = "") -> None:
        self._room = room
        self._octets = 0
        self.holder = holder

    def grow_to(self, octets: int) -> None:
        """Take as much as is wanted for a body of *octets*.

        Errors: WireRefusal (503) when the room, or the holder's share of it, has not that much left.
        """
        more = octets - self._octets
        if more <= 0:
            return
        if not self._room.take(self.holder, more):
            raise WireRefusal(WireFault.BODIES_EXHAUSTED, ("Retry-After", str(RETRY_AFTER_SECONDS)))
        self._octets = octets

    def leave(self) -> None:
        """Give everything back."""
        if self._octets:
            self._room.give_back(self.holder, self._octets)
        self._octets = 0
