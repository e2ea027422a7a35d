"""Why a PostgreSQL server does not let us in, and what to do about it.

The driver gives no SQLSTATE for a connection that was never made, only what the server said, whose language its lc_messages
chooses: what is not recognised is passed on as it was said. Neither has a password in it.

Source: the messages are those of PostgreSQL 13 to 17, src/backend/utils/init/postinit.c and src/backend/libpq/auth.c.
"""

import re

_DATABASE = re.compile(r'database "(?P<name>[^"]+)" does not exist')
_ROLE = re.compile(r'role "(?P<name>[^"]+)" (?:does not exist|is not permitted to log in)')
_PASSWORD = re.compile(
    r'(?:password|SCRAM|Ident|Peer) authentication failed for user "(?P<name>[^"]+)"|(?P<none>no password supplied)'
)
_NOT_LET_IN = re.compile(r'no pg_hba.conf entry for host "(?P<host>[^"]+)", user "(?P<name>[^"]+)"')
_TLS = (
    (
        re.compile(r"server does not support SSL, but SSL was required"),
        "the server does not serve TLS, which sslmode in database.url asks for: set ssl = on in its postgresql.conf",
    ),
    (
        re.compile(r'root certificate file "(?P<detail>[^"]+)" does not exist'),
        "there is no root certificate in {detail} to verify the server by: let sslrootcert in database.url name its file",
    ),
    (
        re.compile(r"certificate verify failed"),
        "the server's TLS certificate is not issued by a root that sslrootcert in database.url names, or has ended",
    ),
    (
        re.compile(r'server certificate for (?P<detail>.+) does not match host name "[^"]+"'),
        "the server's TLS certificate is for {detail}: name the server so in database.url, or give it another certificate",
    ),
)
"""What libpq says of TLS, and what we say. Source: src/interfaces/libpq/fe-secure-openssl.c and fe-connect.c."""
_PREFIX = re.compile(r"^connection failed: ")
_NOT_ENCRYPTED = re.compile(r"no encryption")
_WITHOUT_TLS = " without TLS, which sslmode=verify-full in database.url asks for"
_WHERE = "docs/how-to/run-in-production.md says how both are made"
LONGEST_CHARACTERS = 300


def explain_connection(said: str) -> str:
    """Return why no connection came about, by what driver and server *said*, and what to do."""
    if found := _DATABASE.search(said):
        name = found["name"]
        return (
            f"the server has no database {name}: make it, with our role as its owner (createdb --owner ROLE {name}; {_WHERE})"
        )
    if found := _ROLE.search(said):
        name = found["name"]
        return f"the server has no role {name} that may log in: make it (createuser --login --pwprompt {name}; {_WHERE})"
    if found := _PASSWORD.search(said):
        if found["none"]:
            return "the server wants a password: let database.password of the settings name where it is"
        return (
            f"the server does not take this password for the role {found['name']}: either it is another one than that which "
            f"database.password names, or there is no such role ({_WHERE})"
        )
    if found := _NOT_LET_IN.search(said):
        told = f"the server does not let the role {found['name']} in from {found['host']}"
        return f"{told}{_WITHOUT_TLS if _NOT_ENCRYPTED.search(said) else ''}: add a line to its pg_hba.conf"
    lines = [_PREFIX.sub("", each.strip()) for each in said.splitlines() if each.strip()]
    detail = (lines[0] if lines else "no answer")[:LONGEST_CHARACTERS].rstrip(".")
    unreachable = f"the server cannot be reached: {detail}; see that it runs, and that host and port in database.url are right"
    return _find_tls_fault(said) or unreachable


def _find_tls_fault(said: str) -> str | None:
    for pattern, sentence in _TLS:
        if found := pattern.search(said):
            return sentence.format(**found.groupdict())
    return None
