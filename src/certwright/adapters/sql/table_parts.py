"""What tables are made of: names of constraints, keys that count, columns that hold an enum or flags."""

from collections.abc import Iterable
from enum import IntFlag

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def counter(name: str) -> Column[int]:
    """Return a key that the database counts up: the order in which rows came in."""
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True)


def mark(name: str = "mark") -> Column[bytes]:
    """Return where a row's mark stands: null from before rows were marked."""
    return Column(name, LargeBinary)


def one_of(column: str, values: Iterable[int | str]) -> CheckConstraint:
    listed = ", ".join(str(int(each)) if isinstance(each, int) else f"'{each}'" for each in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def flags_of(column: str, flags: type[IntFlag]) -> CheckConstraint:
    return CheckConstraint(f"({column} & {~sum(flags) & 0x7FFF}) = 0", name=column)


def template_version() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["template_id", "template_version"], ["profile_templates.id", "profile_templates.version"])
