"""The randomness of this machine."""

import secrets


class SystemEntropy:
    """Keeps `domain.ports.Entropy` with the operating system's generator."""

    def bits(self, count: int) -> int:
        """Return a number from 0 to 2**count - 1."""
        return secrets.randbits(count)

    def octets(self, count: int) -> bytes:
        """Return *count* random octets."""
        return secrets.token_bytes(count)
