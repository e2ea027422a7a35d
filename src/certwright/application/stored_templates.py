"""What loading a world and importing templates have in common: rules, versions, rights, and what the history says of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from certwright.application.trustees import list_known_names
from certwright.application.world import World
from certwright.domain.data_items import Patterns
from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.events import Event, EventType, tell_of_operator
from certwright.domain.grants import Grant, ObjectKind
from certwright.domain.identities import EVERYONE, Principal, Sid
from certwright.domain.policies import Policy
from certwright.domain.ports import Session
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.rules.archival import list_archival_faults
from certwright.domain.rules.escalation import list_certificate_policy_faults, list_escalation_paths, list_everyone_faults
from certwright.domain.rules.key_definition import list_key_definition_faults
from certwright.domain.rules.named_subjects import list_named_subject_faults
from certwright.domain.rules.policy_parties import list_approver_faults, list_policy_faults, list_separation_faults
from certwright.domain.separation import policy_takes_several_people
from certwright.formats.built_in_mails import make_sample_facts
from certwright.formats.mail_templates import check_mail_template


def list_template_faults(
    templates: Iterable[ProfileTemplate], patterns: Patterns, certificate_policies: frozenset[str] | None = None
) -> Iterator[Refused]:
    """Return everything wrong with profile templates and with the certificate templates in them, each told once.

    Shape: *certificate_policies* are those of the installation, None where it is not known whose templates they will be.
    """
    known = tuple(templates)
    for template in dict.fromkeys(each for profile_template in known for each in profile_template.certificate_templates):
        yield from list_key_definition_faults(template)
        yield from list_archival_faults(template)
        yield from list_escalation_paths(template)
        allowed = frozenset(template.certificate_policies) if certificate_policies is None else certificate_policies
        yield from list_certificate_policy_faults(template, allowed)
    for profile_template in known:
        yield from list_named_subject_faults(profile_template, f"profile_templates.{profile_template.name}")
        for kind, policy in profile_template.policies.items():
            where = _locate(profile_template, kind)
            takes_several = policy_takes_several_people(profile_template, kind, policy)
            yield from list_policy_faults(policy, where, kind, patterns, takes_several=takes_several)
            yield from _list_mail_faults(policy, where)


def list_grant_faults(grants: Iterable[Grant], templates: Iterable[ProfileTemplate], session: Session) -> list[Refused]:
    """Return which rights nobody may be given; *templates* are those that come with the grants."""
    names = {str(sid): name for sid, name in list_known_names(session).items()}
    names |= {str(each.id): each.name for each in templates}
    return list_everyone_faults(grants, names)


def list_people_faults(templates: Iterable[ProfileTemplate], session: Session) -> list[Refused]:
    """Return which policies of *templates* need more people than the directory has for them."""
    known = tuple(templates)
    principals = _list_named_people(known, session)
    return [
        fault
        for template in known
        for kind, policy in template.policies.items()
        for where, takes_several in ((_locate(template, kind), policy_takes_several_people(template, kind, policy)),)
        for fault in (
            *list_approver_faults(policy, where, principals),
            *list_separation_faults(policy, where, principals, takes_several=takes_several),
        )
    ]


def list_name_faults(templates: Iterable[ProfileTemplate], session: Session) -> list[Refused]:
    """Return which of *templates* are called like another one: the command line could not tell them apart."""
    taken = {each.name.casefold(): each.id for each in session.templates.list_newest()}
    return [
        DefinitionInvalid(
            f"profile_templates.{each.name}.name", f"another template, {taken[each.name.casefold()]}, is called so"
        )
        for each in templates
        if taken.get(each.name.casefold(), each.id) != each.id
    ]


def list_unused_faults(
    certificates: Iterable[CertificateTemplate], templates: Iterable[ProfileTemplate], session: Session
) -> list[Refused]:
    """Return which of *certificates* no profile template has, of *templates* or of those that are stored."""
    having = (*templates, *session.templates.list_newest())
    used = {one.common_name for each in having for one in each.certificate_templates}
    detail = "no profile template has it: name it in the certificate_templates of one"
    return [
        DefinitionInvalid(f"certificate_templates.{each.common_name}", detail)
        for each in certificates
        if each.common_name not in used
    ]


def save_templates(
    templates: Iterable[ProfileTemplate], session: Session, certificate_templates: Iterable[CertificateTemplate] = ()
) -> tuple[ProfileTemplate, ...]:
    """Return the new versions, those that equal the newest left out.

    Shape: *certificate_templates* are changed, too, whether one of *templates* has them or not.
    A certificate template is one thing, whoever issues it: others that have it get it as it is now, in new versions, too.
    """
    versions = {each.id: each.version for each in session.templates.list_newest()}
    given = tuple(templates)
    certificates = {each.common_name: each for template in given for each in template.certificate_templates}
    certificates |= {each.common_name: each for each in certificate_templates}
    saved = [session.templates.save(each) for each in given]
    others = [each for each in session.templates.list_newest() if each.id not in {template.id for template in given}]
    saved += [session.templates.save(_with_newest(each, certificates)) for each in others]
    return tuple(each for each in saved if each.version != versions.get(each.id))


def replace_rights(grants: Iterable[Grant], operator: str, session: Session, world: World) -> None:
    """Make *grants* all the rights that there are, and tell each one that is new or gone."""
    before, after = dict.fromkeys(session.directory.load_grants()), dict.fromkeys(grants)
    session.directory.replace_grants(after)
    names = list_known_names(session) | {Sid(str(each.id)): each.name for each in session.templates.list_newest()}
    given = [each for each in after if each not in before]
    taken = [each for each in before if each not in after]
    session.history.append(
        [
            *(_tell(EventType.RIGHT_GRANTED, each, names, operator, world) for each in given),
            *(_tell(EventType.RIGHT_REVOKED, each, names, operator, world) for each in taken),
        ]
    )


def _list_named_people(templates: Iterable[ProfileTemplate], session: Session) -> list[Principal]:
    """Return those among whom the rules count: of a long directory, most have no part in a policy."""
    trustees: set[Sid] = set()
    for template, (kind, policy) in ((one, each) for one in templates for each in one.policies.items()):
        if policy.approvals_needed:
            trustees |= policy.approvers
        if policy_takes_several_people(template, kind, policy):
            trustees |= policy.initiators | policy.enrollment_agents
    directory = session.directory
    found = [directory.list_users() if each == EVERYONE else directory.list_members(each) for each in sorted(trustees)]
    principals = (directory.find_principal(each) for each in {user.id: user for users in found for user in users})
    return [each for each in principals if each is not None]


def tell_versions(templates: Iterable[ProfileTemplate]) -> str:
    """Return how the history names new versions."""
    return " ".join(f"{each.id}/{each.version}" for each in templates)


def _locate(template: ProfileTemplate, kind: RequestType) -> str:
    return f"profile_templates.{template.name}.policies.{kind.name.lower().replace('_', '-')}"


def _list_mail_faults(policy: Policy, where: str) -> Iterator[Refused]:
    """Return which mails could not be written."""
    for rule in policy.notifications:
        if rule.template is not None:
            try:
                check_mail_template(rule.template, f"{where}.notifications.{rule.type}", make_sample_facts(rule.type))
            except DefinitionInvalid as fault:
                yield fault


def _with_newest(template: ProfileTemplate, certificates: dict[str, CertificateTemplate]) -> ProfileTemplate:
    newest = tuple(certificates.get(each.common_name, each) for each in template.certificate_templates)
    return replace(template, certificate_templates=newest)


def _tell(event_type: EventType, grant: Grant, names: dict[Sid, str], operator: str, world: World) -> Event:
    named = "" if grant.object_kind is ObjectKind.SERVICE else names.get(Sid(grant.object_name), grant.object_name)
    return tell_of_operator(
        event_type,
        operator,
        world.clock.now(),
        right=grant.right.value,
        place=f"{grant.object_kind} {named}".strip(),
        trustee=names.get(grant.trustee, grant.trustee),
    )
