"""The TLS certificate of a server that runs: renewed by one of its processes, and loaded by all of them."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import structlog

from certwright.bootstrap_tls import ServerTls
from certwright.domain.errors import CertwrightError

Version = tuple[int, int]
log = structlog.get_logger(__name__)


class TlsRenewal:
    """Looks at an interval whether the certificate is to be renewed, where *renews* says so, or has been replaced.

    New connections are answered with what was loaded last; those that are open keep what they began with.
    """

    def __init__(self, tls: ServerTls, context: ssl.SSLContext, interval: timedelta, *, renews: bool) -> None:
        self._tls = tls
        self._context = context
        self._interval = interval
        self._renews = renews
        self._loaded = tls.find_version()

    async def run(self) -> None:
        """Look again and again, in a thread, until the task is cancelled."""
        while True:
            await asyncio.sleep(self._interval.total_seconds())
            try:
                await self.look()
            except (CertwrightError, OSError) as error:
                # The certificate that is there stays; the next look tries again.
                log.error("tls certificate not renewed", error=str(error))

    async def look(self) -> None:
        """Renew the certificate where that is due, and load one that was replaced. Errors: CertwrightError; OSError."""
        found = await asyncio.to_thread(self._find_replaced)
        if found is None:
            return
        identity, password, version = found
        # Between its certificate and its key the context answers no handshake: those begin on this thread.
        self._context.load_cert_chain(identity, password=password)
        self._loaded = version

    def _find_replaced(self) -> tuple[Path, str, Version] | None:
        """Return the file, which can be loaded, its password and version; None where they were not replaced."""
        if self._renews and self._tls.renew():
            log.info("tls certificate renewed")
        version = self._tls.find_version()
        if version is None or version == self._loaded:
            return None
        files = self._tls.open()
        # A context that could not load the key would have lost the one that it had.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.identity, password=files.password)
        return files.identity, files.password, version
