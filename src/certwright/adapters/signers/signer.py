"""The program of a signer: ``python -m certwright.adapters.signers.signer``, started by the server with a socket as its input.

It imports what signing needs and nothing else: no database, no web.
"""

import gc
import signal
import socket

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.adapters.core_dumps import forbid_core_dumps
from certwright.adapters.keys.software import load_key
from certwright.adapters.signers.channel import Channel, Charge, Errand, Outcome
from certwright.domain.errors import KeyUnavailable

STANDARD_INPUT = 0


def main() -> None:
    """Sign what comes until the server is gone, however it went.

    Whoever ends the server with Ctrl-C or through its service manager often signals every process of it. A signer ends with
    the server and not before: posts that have begun are answered.
    """
    forbid_core_dumps()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=STANDARD_INPUT))
    charge = channel.receive(Charge)
    if charge is None:
        return
    authority = EmbeddedAuthority(charge.issuer, load_key(charge.key_name, charge.key))
    del charge
    gc.collect()
    gc.freeze()
    while (errand := channel.receive(Errand)) is not None:
        channel.send(_sign(authority, errand))


def _sign(authority: EmbeddedAuthority, errand: Errand) -> Outcome:
    try:
        return Outcome(authority.sign_each(errand.orders))
    except KeyUnavailable:
        return Outcome(None)


if __name__ == "__main__":
    main()
