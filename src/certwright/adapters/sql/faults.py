"""What went wrong in a database, in the words of the domain."""

import sqlite3

import psycopg
from sqlalchemy.exc import StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from certwright.adapters.sql.postgresql_faults import explain_connection
from certwright.domain.errors import CertwrightError, ChangedMeanwhile, StoreUnavailable

DISK_FULL = "the disk is full: make room on it"
_SQLITE = {
    "SQLITE_BUSY": "another program holds it",
    "SQLITE_LOCKED": "another program holds it",
    "SQLITE_FULL": DISK_FULL,
    "SQLITE_IOERR": "the disk reports an error",
    "SQLITE_CANTOPEN": "its file cannot be opened",
    "SQLITE_CORRUPT": "its file is damaged",
    "SQLITE_NOTADB": "its file is not a database",
    "SQLITE_PERM": "the file's permissions do not let us",
    "SQLITE_NOMEM": "there is not enough memory",
}
_UNWRITABLE = {
    "SQLITE_READONLY_DIRECTORY": "this account may not write into its folder",
    "SQLITE_READONLY_CANTINIT": "this account may not write the files beside it",
    "SQLITE_READONLY_RECOVERY": "this account may not write the files beside it",
    # The file that all processes map into memory is made at the start, and cannot become longer.
    "SQLITE_IOERR_SHMSIZE": DISK_FULL,
    "SQLITE_READONLY_DBMOVED": "its file was moved or removed while it was open",
}
_POSTGRESQL = {
    "08": "the connection to the server was lost",
    "28": "the server does not accept our user or password",
    "3D": "the server has no database of this name",
    "42501": "our role may not do this there: make it the owner of the database (ALTER DATABASE name OWNER TO role)",
    "53": "the server is short of memory, disk or connections",
    "55": "another program holds it",
    "57": "the server is shutting down or has stopped us",
    "58": "the server's system reports an error",
    "XX": "the server reports damage",
}
"""By the SQLSTATE, or its class. Source: PostgreSQL's appendix A."""

_OVERTAKEN = ("40001", "40P01")
"""Serialization failure and deadlock: both mean that another session was first."""

DRIVER_ERRORS = (StatementError, PoolTimeout, sqlite3.Error, psycopg.Error)
"""Everything that a database, its driver or its pool raises, and values that our column types refuse."""


class WritingRefused(RuntimeError):
    """A bug: somebody wrote through a session that was opened for reading."""


def plain_fault(error: Exception) -> Exception:
    """Return what to raise instead of *error*: *error* itself when it is a bug of ours."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("all its connections are in use")
    cause: object = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, CertwrightError):
        return cause
    if isinstance(cause, sqlite3.Error):
        return _plain_sqlite_fault(error, cause)
    return _plain_postgresql_fault(error, cause) if isinstance(cause, psycopg.Error) else error


def _plain_sqlite_fault(error: Exception, cause: sqlite3.Error) -> Exception:
    whole_name = getattr(cause, "sqlite_errorname", "")
    name = "_".join(whole_name.split("_")[:2])
    if whole_name in _UNWRITABLE:
        return StoreUnavailable(_UNWRITABLE[whole_name])
    if name == "SQLITE_READONLY":
        return WritingRefused("this session is for reading")
    return StoreUnavailable(_SQLITE[name]) if name in _SQLITE else error


def _plain_postgresql_fault(error: Exception, cause: psycopg.Error) -> Exception:
    state = cause.sqlstate
    if state == "25006":
        return WritingRefused("this session is for reading")
    if state in _OVERTAKEN:
        return ChangedMeanwhile("data")
    if state is not None and (detail := _POSTGRESQL.get(state, _POSTGRESQL.get(state[:2]))):
        return StoreUnavailable(detail)
    # The driver gives no state for a connection that did not come about.
    is_about_connection = state is None and isinstance(cause, psycopg.OperationalError)
    return StoreUnavailable(explain_connection(str(cause))) if is_about_connection else error
