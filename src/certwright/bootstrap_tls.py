"""Bootstrap's part about the server's own TLS certificate: issued by the embedded authority, kept in the installation."""

import secrets
from datetime import datetime

from certwright.adapters.authorities.tls import issue_server_identity
from certwright.adapters.authorities.tls_folder import TlsFiles, TlsFolder
from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.secret_places import SECRET_OCTETS
from certwright.application.world import World
from certwright.domain.certificates import SERIAL_NUMBER_BITS, SerialNumber, format_serial_number
from certwright.domain.errors import TlsCertificateMissing, TlsFilesUnavailable, ValidityRefused
from certwright.domain.events import EventType, tell_of_program
from certwright.domain.ports import SigningKey
from certwright.server_settings import ServerSettings


class ServerTls:
    """The certificate with which the server answers over TLS, and its renewal. Several processes may use one folder."""

    def __init__(self, folder: TlsFolder, settings: ServerSettings, issuing_key: SigningKey, world: World) -> None:
        self._folder = folder
        self._settings = settings
        self._issuing_key = issuing_key
        self._world = world

    def renew(self) -> bool:
        """Issue another certificate where there is none, or it is near its end, of other names, or cannot be opened.

        Return whether there is another one. When the authority has ended, the one that is there stays.

        Errors: TlsFilesUnavailable; TlsCertificateMissing when there is none and the authority has ended; StoreUnavailable.
        """
        try:
            with self._folder.locked():
                fault = self._folder.find_fault(
                    self._settings.tls_names,
                    self._world.authority.issuer.chain[0],
                    now=self._world.clock.now(),
                    renew_before=self._settings.tls_renew_before,
                )
                return fault is not None and self._issue(fault)
        except OSError as error:
            raise TlsFilesUnavailable(str(error.filename or "tls"), error.strerror or str(error)) from error

    def open(self) -> TlsFiles:
        """Return the files and their password, as they are. Errors: KeyUnavailable; TlsFilesUnavailable."""
        try:
            return self._folder.open()
        except OSError as error:
            raise TlsFilesUnavailable(str(error.filename or "tls"), error.strerror or str(error)) from error

    def find_version(self) -> tuple[int, int] | None:
        """Return what is another value after the files were replaced; None where there are none."""
        return self._folder.find_version()

    def find_end(self) -> datetime | None:
        """Return when the certificate ends; None where there is none."""
        return self._folder.find_end()

    def _issue(self, reason: str) -> bool:
        world, serial, now = self._world, make_serial(), self._world.clock.now()
        try:
            self._folder.replace(
                lambda password: issue_server_identity(
                    self._settings.tls_names,
                    world.authority.issuer,
                    self._issuing_key,
                    serial=serial,
                    now=now,
                    password=password,
                ),
                secrets.token_urlsafe(SECRET_OCTETS),
            )
        except ValidityRefused as refused:
            if self._folder.find_end() is None:
                raise TlsCertificateMissing from refused
            return False
        issued = tell_of_program(EventType.SERVER_CERTIFICATE_ISSUED, now, serial=format_serial_number(serial), reason=reason)
        with world.store.writing() as session:
            session.history.append([issued])
        return True


def make_serial() -> SerialNumber:
    """Return a serial number for a certificate of the installation's own."""
    return SerialNumber(SystemEntropy().bits(SERIAL_NUMBER_BITS))
