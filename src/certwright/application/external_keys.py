"""Certificates from elsewhere that one enrollment gives back, and their private keys."""

from certwright.application.world import World
from certwright.domain.certificates import format_serial_number
from certwright.domain.deliveries import DeliveryPlan
from certwright.domain.errors import ArchiveUnreadable, KeyUnavailable
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.keys import PrivateKey


class ExternalKeys:
    """The external certificates of one enrollment, in the order of the answer, and their keys by thumbprint."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.held: tuple[ExternalCertificate, ...] = ()
        self.read_keys: dict[str, PrivateKey] = {}
        self.errors: dict[str, ArchiveUnreadable] = {}

    def read(self, plan: DeliveryPlan) -> None:
        """Take what *plan* gives back."""
        self.held = plan.external

    def list_with_keys(self) -> list[ExternalCertificate]:
        """Return those whose private keys are here."""
        return [each for each in self.held if each.sealed_key is not None]

    def open(self) -> None:
        """Open the keys, or keep why one does not open: the others do."""
        for each in self.held:
            if each.key is None:
                continue
            try:
                self.read_keys[each.thumbprint] = self._world.safe.open(each.key)
            except KeyUnavailable:
                serial = format_serial_number(each.serial)
                self.errors[each.thumbprint] = ArchiveUnreadable(serial, "what was imported does not open")
