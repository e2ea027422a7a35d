"""Recovery agents: for whom keys are archived."""

from dataclasses import dataclass, replace

from certwright.application.world import World
from certwright.domain.archive import RecoveryAgent, list_current
from certwright.domain.errors import (
    DefinitionInvalid,
    RecoveryAgentExists,
    RecoveryAgentNeeded,
    RecoveryAgentNotFound,
    Refused,
    check_none_broken,
)
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.keys import SealedKey
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.rules.key_weaknesses import list_key_weaknesses, list_prime_faults
from certwright.formats.enveloped import check_recipient
from certwright.formats.prime_moduli import is_prime_or_power
from certwright.formats.public_keys import read_certificate_key


@dataclass(frozen=True, slots=True)
class NewAgent:
    """An agent to add. Shape: *key* is set for an online one, whose *key_name* it has."""

    agent: RecoveryAgent
    key: SealedKey | None = None


def add_agent(new: NewAgent, *, operator: str, world: World) -> RecoveryAgent:
    """Return the agent after he was added: keys that are archived from now on are encrypted to him, too.

    Errors: DefinitionInvalid for a certificate to which nothing can be encrypted, or whose key is weak; RulesBroken for several
            weaknesses; RecoveryAgentExists.
    """
    agent = new.agent
    check_recipient(agent.certificate)
    check_none_broken(_list_key_faults(agent.certificate))
    with world.store.writing() as session:
        if any(each.name == agent.name or each.certificate == agent.certificate for each in session.archive.list_agents()):
            raise RecoveryAgentExists(agent.name)
        if new.key is not None:
            session.keys.save_key(new.key)
        session.archive.save_agent(agent)
        kind = "online" if agent.is_online else "offline"
        told = tell_of_operator(EventType.RECOVERY_AGENT_ADDED, operator, world.clock.now(), agent=agent.name, kind=kind)
        session.history.append([told])
    return agent


def _list_key_faults(certificate: bytes) -> list[Refused]:
    """Return why the key would open what is archived for others than the agent."""
    key = read_certificate_key(certificate)
    weaknesses = list_key_weaknesses(key, KeySpecification()) or list_prime_faults(
        is_prime_or_power=is_prime_or_power(key.modulus or 0)
    )
    return [DefinitionInvalid("certificate", each.text) for each in weaknesses]


def retire_agent(name: str, *, operator: str, world: World) -> RecoveryAgent:
    """Return the agent after he was retired: nothing more is encrypted to him; what was, he still reads until it is
    encrypted anew.

    Errors: RecoveryAgentNotFound; RecoveryAgentNeeded for the last one.
    """
    with world.store.writing() as session:
        agents = session.archive.list_agents()
        agent = next((each for each in agents if each.name == name), None)
        if agent is None:
            raise RecoveryAgentNotFound(name)
        if agent.retired is not None:
            return agent
        if list_current(agents) == (agent,):
            raise RecoveryAgentNeeded(name)
        retired = replace(agent, retired=world.clock.now())
        session.archive.save_agent(retired)
        told = tell_of_operator(EventType.RECOVERY_AGENT_RETIRED, operator, world.clock.now(), agent=name)
        session.history.append([told])
    return retired


def list_agents(*, world: World) -> tuple[RecoveryAgent, ...]:
    """Return all agents, retired ones included, in the order in which they were added."""
    with world.store.reading() as session:
        return session.archive.list_agents()
