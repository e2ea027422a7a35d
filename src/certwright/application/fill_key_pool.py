"""Make private keys ahead, so that nobody waits for one."""

from collections.abc import Mapping
from functools import partial

from certwright.application.due_work import Due
from certwright.application.world import World
from certwright.domain.key_ports import KeyMaker, name_pool_kind
from certwright.domain.profile_templates import KeySpecification

POOL = "pool"
"""Leads the names of keys in the pool."""


def list_missing_keys(limit: int, *, sizes: Mapping[KeySpecification, int], maker: KeyMaker, world: World) -> tuple[Due, ...]:
    """Return one thing to do for each key that the pool lacks of *sizes*."""
    with world.store.reading() as session:
        missing = {each: size - session.key_pool.count(name_pool_kind(each)) for each, size in sizes.items()}
    due = [
        Due(
            what=f"make a key ahead: {name_pool_kind(each)}",
            carry_out=partial(_add_key, each, sizes[each], maker=maker, world=world),
        )
        for each, count in missing.items()
        for _ in range(count)
    ]
    return tuple(due[:limit])


def _add_key(specification: KeySpecification, size: int, *, maker: KeyMaker, world: World) -> bool:
    kind = name_pool_kind(specification)
    with world.store.reading() as session:
        if session.key_pool.count(kind) >= size:
            return False
    name = f"{POOL}/{world.make_identifier()}"
    sealed = world.safe.seal(maker.make(specification), name, world.clock.now())
    with world.store.writing() as session:
        session.key_pool.add(kind, sealed)
    return True
