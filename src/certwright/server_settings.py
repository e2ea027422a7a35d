"""Settings of the server: where it listens, and what bounds its clients."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from certwright.setting_values import a_web_address, between, networks, not_empty, spanning
from certwright.setting_values import setting as _setting


class ProxyHeader(StrEnum):
    """Headers in which reverse proxies name the client."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where the server listens and what it is called."""

    host: str = _setting("127.0.0.1", "The address to listen on; 0.0.0.0 for all of IPv4.", not_empty)
    port: int = _setting(8443, "The TCP port to listen on.", between(1, 65_535))
    processes: int = _setting(
        0,
        "How many processes answer side by side; 0 for as many as there are processors, at most 4.",
        between(0, 64),
    )
    public_url: str = _setting(
        "http://localhost:8080",
        "The address under which certificates of the authorities (AIA) and revocation lists (CDP) are named in what is issued.",
        a_web_address,
    )
    tls_names: tuple[str, ...] = _setting(
        ("localhost", "127.0.0.1", "::1"),
        "Host names and addresses in the server's own TLS certificate; a change makes a new certificate at the next start.",
        not_empty,
    )
    tls_renew_before: timedelta = _setting(
        timedelta(days=60),
        "How long before its end the TLS certificate is renewed, at a start of the server and while it serves.",
        spanning(timedelta(days=1), timedelta(days=365)),
    )
    tls_check: timedelta = _setting(
        timedelta(minutes=1),
        "How often a server looks whether its TLS certificate is to be renewed, or has been replaced.",
        spanning(timedelta(seconds=1), timedelta(days=1)),
    )
    connections: int = _setting(
        1_000,
        "How many connections there may be. For one more, one that is idle, or whose call waits for its sign-in, is ended.",
        between(16, 100_000),
    )
    connections_per_source: int = _setting(
        250,
        "The same for one IPv4 address or one IPv6 network (/64); trusted proxies are not bound by it.",
        between(1, 100_000),
    )
    request_line_limit: int = _setting(8_192, "How many octets a request line has at most; else 414.", between(1_024, 65_536))
    headers_limit: int = _setting(
        131_072,
        "How many octets the headers of a call have at most, else 431; a Kerberos ticket of 64 KiB takes 88 KiB.",
        between(8_192, 1_048_576),
    )
    head_timeout: timedelta = _setting(
        timedelta(seconds=20),
        "How long a client may take for the TLS handshake, and how long for request line and headers.",
        spanning(timedelta(seconds=1), timedelta(minutes=10)),
    )
    body_timeout: timedelta = _setting(
        timedelta(seconds=60),
        "How long a client may take for the body of a call.",
        spanning(timedelta(seconds=1), timedelta(minutes=10)),
    )
    bodies_limit: int = _setting(
        134_217_728,
        "How many octets of request bodies one process keeps, a quarter for one account; a call beyond that gets 503.",
        between(8_388_608, 17_179_869_184),
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        "Addresses and networks of reverse proxies that say in a header for which client they ask; others are not believed.",
        networks,
    )
    proxy_header: ProxyHeader = _setting(
        ProxyHeader.X_FORWARDED_FOR,
        "The header in which trusted proxies say it. Only this one is read: the proxy has to set it in each call.",
    )
