"""Private keys that go to another person than their owner: who starts that, who approves it and who is given them differ."""

from certwright.domain.deliveries import GIVES_EXTERNAL
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import KeyOrigin, ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.workflows import WORKFLOWS, Operation


def hands_out_keys(template: ProfileTemplate, operation: Operation) -> bool:
    """Return whether private keys are in the answer to *operation*: made or archived by the server, or from elsewhere.

    Only keys that the server makes are archived, so that a template that has such keys may also have archived ones.
    """
    makes = any(each.key.origin is KeyOrigin.SERVER for each in template.certificate_templates)
    return WORKFLOWS[operation].delivers and (makes or (template.external_certificates and operation in GIVES_EXTERNAL))


def takes_several_people(template: ProfileTemplate, operation: Operation) -> bool:
    """Return whether one person starts the request, another approves it, and a third executes it.

    So it is with keys of another that are recovered, and wherever an enrollment agent is given keys instead of the subject.
    """
    return _is_separated(template, template.policies[WORKFLOWS[operation].request_type], operation)


def policy_takes_several_people(template: ProfileTemplate, kind: RequestType, policy: Policy) -> bool:
    """Return `takes_several_people` for the operations under *policy*, which is that of *kind*."""
    operations = (operation for operation, workflow in WORKFLOWS.items() if workflow.request_type is kind)
    return any(_is_separated(template, policy, each) for each in operations)


def count_needed_approvals(policy: Policy, *, takes_several: bool) -> int:
    """Return how many approvals a request under *policy* takes, which may have been stored before there was a least number."""
    return max(policy.approvals_needed, int(takes_several))


def _is_separated(template: ProfileTemplate, policy: Policy, operation: Operation) -> bool:
    goes_to_agent = policy.enrollment_agent_required and hands_out_keys(template, operation)
    return WORKFLOWS[operation].is_for_somebody_else or goes_to_agent
