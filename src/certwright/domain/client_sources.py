"""Where clients are, as far as limits are concerned."""

from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX_BITS = 64
"""The addresses of one IPv6 customer are one source. Source: RFC 6177 section 2: a site gets no less than that."""


def group_source(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or the network of an IPv6 address; other text as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), IPV6_PREFIX_BITS), strict=False))
    return str(parsed)
