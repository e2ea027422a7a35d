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
_PREFIX = re.compile(r"^connection failed: ")
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
        return f"the server does not let the role {found['name']} in from {found['host']}: add a line to its pg_hba.conf"
    lines = [_PREFIX.sub("", each.strip()) for each in said.splitlines() if each.strip()]
    detail = (lines[0] if lines else "no answer")[:LONGEST_CHARACTERS].rstrip(".")
    return f"the server cannot be reached: {detail}; see that it runs, and that host and port in database.url are right"
