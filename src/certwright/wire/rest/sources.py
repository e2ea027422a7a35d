"""From which address a call comes, also behind reverse proxies.

Source: RFC 7239 for ``Forwarded``; nginx, Apache and HAProxy for ``X-Forwarded-For``, which has no standard: each proxy appends
the address that it was asked from.
"""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from certwright.domain.client_sources import group_source
from certwright.wire.rest.asgi import Scope, find_place

UNKNOWN = "unknown"
MOST_HOPS = 32
"""Proxies that are looked at; a client may write any number of addresses in front of theirs."""


class Sources:
    """Finds where calls come from. *header* is believed where one of the *proxies* has sent it, and read from its end."""

    def __init__(self, proxies: Sequence[str] = (), header: str = "x-forwarded-for") -> None:
        self._proxies = tuple(ip_network(each) for each in proxies)
        self._header = header.encode()
        self._is_standard = header == "forwarded"

    def is_proxy(self, address: str) -> bool:
        """Return whether a trusted proxy has the *address*."""
        if not self._proxies:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in each for each in self._proxies)

    def find(self, scope: Scope) -> str:
        """Return the address of the client: the last one named that is no proxy's, or that of the proxy where it names none."""
        client = scope["client"]
        source = str(client[0]) if client else UNKNOWN
        if not self.is_proxy(source):
            return source
        for named in self._list_named(scope):
            address = _find_address(named)
            if address is None:
                break
            source = address
            if not self.is_proxy(source):
                break
        return source

    def note(self, scope: Scope) -> str:
        """Return what `find` does, and have the connection of a proxy count for the client for which it asks."""
        source = self.find(scope)
        if self._proxies and self.is_proxy(str(scope["client"][0]) if scope["client"] else UNKNOWN):
            find_place(scope).identify(group_source(source))
        return source

    def _list_named(self, scope: Scope) -> list[str]:
        """Return what the header names, that of the nearest proxy first."""
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == self._header]
        elements = ",".join(values).rsplit(",", MOST_HOPS)[-MOST_HOPS:]
        return [_find_for(each) if self._is_standard else each for each in reversed(elements)]


def _find_for(element: str) -> str:
    """Return the node that an element of ``Forwarded`` has been asked by; nothing where it does not say so."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value
    return ""


def _find_address(named: str) -> str | None:
    """Return the address without quotes, brackets and port; None for what is none, such as ``unknown``."""
    text = named.strip().strip('"').strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
