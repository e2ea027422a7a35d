"""Rows of users and rights."""

from typing import Any

from certwright.adapters.sql.prepared import Row
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import User


def read_user(row: Row) -> User:
    """Return the user of a row."""
    return User(
        id=row.id,
        sid=row.sid,
        domain=row.domain,
        account_name=row.account_name,
        principal_name=row.principal_name,
        display_name=row.display_name,
        distinguished_name=row.distinguished_name,
        email=row.email,
        enabled=row.enabled,
    )


def user_row(user: User) -> dict[str, Any]:
    """Return the row of *user*."""
    return {
        "id": user.id,
        "sid": user.sid,
        "domain": user.domain,
        "account_name": user.account_name,
        "principal_name": user.principal_name,
        "display_name": user.display_name,
        "distinguished_name": user.distinguished_name,
        "email": user.email,
        "enabled": user.enabled,
        "domain_key": user.domain.casefold(),
        "account_key": user.account_name.casefold(),
        "principal_key": user.principal_name.casefold(),
    }


def grant_row(grant: Grant) -> dict[str, Any]:
    """Return the row of *grant*."""
    return {
        "object_kind": grant.object_kind.value,
        "object_name": grant.object_name,
        "access_right": grant.right.value,
        "trustee": grant.trustee,
    }


def read_grant(row: Row) -> Grant:
    """Return the right of a row."""
    return Grant(ObjectKind(row.object_kind), row.object_name, Right(row.access_right), row.trustee)
