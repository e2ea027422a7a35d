"""Routes of profile templates and their policies."""

from certwright.application.read_profile_templates import find_policy, list_profile_templates, read_profile_template
from certwright.domain.errors import MalformedValue
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.wire.rest.bodies import ProfileTemplateView
from certwright.wire.rest.calls import Answer, Call, Route, found, found_or_nothing, listed
from certwright.wire.rest.names import REQUEST_TYPES, fold_name
from certwright.wire.rest.policy_bodies import PolicyBody
from certwright.wire.rest.smartcard_bodies import SmartcardConfigurationBody


def get_profile_templates(call: Call) -> Answer:
    """Answer the templates that the caller may read, of one workflow when he names it.

    Source: get-profile-templates; domain.md 8, number 38b: *targetuser* and *permission* change nothing.
    """
    name = fold_name(call.query.get("workflow", ""))
    workflow = REQUEST_TYPES.get(name)
    if name and workflow is None:
        return listed([])
    templates = list_profile_templates(by=call.caller, world=call.world, workflow=workflow)
    return listed([ProfileTemplateView.of(each) for each in templates])


def get_profile_template(call: Call) -> Answer:
    """Answer the limited view of one template."""
    template_id = ProfileTemplateId(call.get_identifier("id"))
    return found(ProfileTemplateView.of(read_profile_template(template_id, by=call.caller, world=call.world)))


def get_policy(call: Call) -> Answer:
    """Answer the policy of one workflow.

    Errors: MalformedValue for a workflow that there is not. Source: get-workflow-policy; domain.md 2.8 and 2.9.
    """
    template_id = ProfileTemplateId(call.get_identifier("id"))
    workflow = REQUEST_TYPES.get(fold_name(call.path["type"]))
    if workflow is None:
        raise MalformedValue("type", "the name of a kind of request is wanted")
    policy = find_policy(template_id, workflow, by=call.caller, world=call.world)
    return found_or_nothing(PolicyBody.of(policy, workflow) if policy else None)


def get_smartcard_configuration(call: Call) -> Answer:
    """Answer how cards of the template are set up. Source: domain.md 2.10."""
    template_id = ProfileTemplateId(call.get_identifier("id"))
    smartcard = read_profile_template(template_id, by=call.caller, world=call.world).smartcard
    return found_or_nothing(SmartcardConfigurationBody.of(smartcard) if smartcard else None)


ROUTES = (
    Route("GET", "/profiletemplates", get_profile_templates),
    Route("GET", "/profiletemplates/{id}", get_profile_template),
    Route("GET", "/profiletemplates/{id}/policies/{type}", get_policy),
    Route("GET", "/profiletemplates/{id}/policy/workflow/{type}", get_policy),
    Route("GET", "/profiletemplates/{id}/configuration/smartcards", get_smartcard_configuration),
)
