"""The TLS certificate of a server that runs: renewed by one of its processes, and loaded by all of them."""

import asyncio
import ssl
from datetime import timedelta

import structlog

from certwright.bootstrap_tls import ServerTls
from certwright.domain.errors import CertwrightError

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
                await asyncio.to_thread(self._look)
            except (CertwrightError, OSError) as error:
                # The certificate that is there stays; the next look tries again.
                log.error("tls certificate not renewed", error=str(error))

    def _look(self) -> None:
        if self._renews and self._tls.renew():
            log.info("tls certificate renewed")
        version = self._tls.find_version()
        if version is not None and version != self._loaded:
            files = self._tls.open()
            self._context.load_cert_chain(files.identity, password=files.password)
            self._loaded = version
