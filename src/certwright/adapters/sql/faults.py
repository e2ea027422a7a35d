"""What went wrong in a database, in the words of the domain."""

import sqlite3

import psycopg
from sqlalchemy.exc import StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from certwright.domain.errors import CertwrightError, ChangedMeanwhile, StoreUnavailable

_SQLITE = {
    "SQLITE_BUSY": "another program holds it",
    "SQLITE_LOCKED": "another program holds it",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk reports an error",
    "SQLITE_CANTOPEN": "its file cannot be opened",
    "SQLITE_CORRUPT": "its file is damaged",
    "SQLITE_NOTADB": "its file is not a database",
    "SQLITE_PERM": "the file's permissions do not let us",
    "SQLITE_NOMEM": "there is not enough memory",
}
_POSTGRESQL = {
    "08": "the connection to the server was lost",
    "28": "the server does not accept our user or password",
    "3D": "the server has no database of this name",
    "53": "the server is short of memory, disk or connections",
    "55": "another program holds it",
    "57": "the server is shutting down or has stopped us",
    "58": "the server's system reports an error",
    "XX": "the server reports damage",
}
"""By the class of the SQLSTATE. Source: PostgreSQL's appendix A."""

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
    name = "_".join(getattr(cause, "sqlite_errorname", "").split("_")[:2])
    if name == "SQLITE_READONLY":
        return WritingRefused("this session is for reading")
    return StoreUnavailable(_SQLITE[name]) if name in _SQLITE else error


def _plain_postgresql_fault(error: Exception, cause: psycopg.Error) -> Exception:
    state = cause.sqlstate
    if state == "25006":
        return WritingRefused("this session is for reading")
    if state in _OVERTAKEN:
        return ChangedMeanwhile("data")
    if state is not None and state[:2] in _POSTGRESQL:
        return StoreUnavailable(_POSTGRESQL[state[:2]])
    # The driver gives no state when the server does not answer at all.
    return (
        StoreUnavailable("the server cannot be reached")
        if state is None and isinstance(cause, psycopg.OperationalError)
        else error
    )
