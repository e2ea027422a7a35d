"""Keyrings for tests: their versions in a list, their passphrase in an attribute."""

from certwright.adapters.keys.keyring import Keyring
from certwright.domain.keys import KeyVersion
from worlds.contoso import NOW


class Ring:
    """What a keyring asks, and the keyring. Shape: *versions* is what the store would have."""

    def __init__(self, passphrase: str = "correct horse battery staple") -> None:
        self.passphrase = passphrase
        self.versions: list[KeyVersion] = []
        self.keyring = self.reopen()

    def reopen(self) -> Keyring:
        """Return the keyring of another start."""
        return Keyring(lambda: self.passphrase, self._find)

    def grow(self) -> int:
        """Add a version and return its number."""
        version = self.keyring.make_version(self.versions[-1] if self.versions else None, NOW)
        self.versions.append(version)
        return version.number

    def _find(self, number: int | None) -> KeyVersion | None:
        if number is None:
            return self.versions[-1] if self.versions else None
        return next((each for each in self.versions if each.number == number), None)
