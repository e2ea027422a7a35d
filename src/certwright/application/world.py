"""Everything outside that use cases need, in one place."""

from dataclasses import dataclass

from certwright.domain.data_items import Patterns
from certwright.domain.ports import CertificationAuthority, Clock, Crew, Entropy, Store


@dataclass(frozen=True, slots=True)
class World:
    """Made by `bootstrap`; handed to every use case. *allows_combined_roles* is for sites with too few people."""

    store: Store
    authority: CertificationAuthority
    clock: Clock
    entropy: Entropy
    crew: Crew
    patterns: Patterns
    allows_combined_roles: bool = False
