"""World files: what they define, and every way in which they may not."""

from importlib.resources import files
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.errors import DefinitionInvalid, Refused, RulesBroken
from certwright.domain.grants import Grants, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.notifications import MailTemplate, NotificationType
from certwright.domain.profile_templates import KeyOrigin, ProfileTemplate
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.rules.escalation import list_escalation_paths
from certwright.formats.definitions import WorldDefinition, parse_world
from certwright.formats.microsoft import encode_template_information

DEMO = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
SMALL = """
[domain]
name = "CORP"

[[users]]
account = "alice"
id = "8f1590dc-d932-4b66-8e68-2e91c5880780"
sid = "S-1-5-21-1-2-3-1001"
principal_name = "alice@example.com"
display_name = "Alice"
distinguished_name = "CN=Alice,DC=example,DC=com"

[[certificate_templates]]
common_name = "User"
oid = "1.3.6.1.4.1.311.21.8.1"

[[profile_templates]]
id = "12bd5120-86a2-4ee1-8d05-131066871578"
name = "User"
certificate_templates = ["User"]

[profile_templates.policies.enroll]
self_service = true
"""


@pytest.fixture(scope="module")
def demo() -> WorldDefinition:
    return parse_world(DEMO)


def list_faults(text: str) -> list[str]:
    """Return what is wrong with the world file *text*, by the keys it is about."""
    with pytest.raises(Refused) as refused:
        parse_world(text)
    faults = refused.value.broken if isinstance(refused.value, RulesBroken) else (refused.value,)
    wheres = [each.where for each in faults if isinstance(each, DefinitionInvalid)]
    return [where.partition(": ")[2] for where in wheres]


def get_template(world: WorldDefinition, name: str) -> ProfileTemplate:
    return next(each for each in world.templates if each.name == name)


def test_the_demo_world_has_the_documented_identifiers(demo: WorldDefinition) -> None:
    identifiers = {each.name: str(each.id) for each in demo.templates}
    documented = {
        "Software Certificate": "12bd5120-86a2-4ee1-8d05-131066871578",
        "Virtual Smartcard VPN": "97cd65fa-af4b-4587-9309-0dd6bfd8b4e1",
        "Smart Card Logon": "2b7044cf-aa96-4911-b886-177947e9271b",
        "Contoso Virtual Smart Card": "a039b4d0-5ce8-4eff-8651-181c6576fda3",
        "Signing and Archived Encryption": "8f31803f-8afc-49bb-911d-402ec264b589",
    }
    assert identifiers.items() >= documented.items()
    assert {"Strong Keys", "Managed Software Certificate"} <= identifiers.keys()


def test_the_demo_world_has_its_accounts_all_with_every_name_of_the_directory(demo: WorldDefinition) -> None:
    accounts = {each.account_name for each in demo.users}
    assert accounts == {
        "subscriber",
        "subscriber2",
        "manager",
        "approver",
        "approver2",
        "helpdesk",
        "administrator",
        "auditor",
        "caoperator",
        "outsider",
    }
    assert all(each.domain == "CORP" and each.email and each.distinguished_name for each in demo.users)
    assert all(each.principal_name == f"{each.account_name}@corp.contoso.com" for each in demo.users)


def test_nobody_gives_the_outsider_anything(demo: WorldDefinition) -> None:
    outsider = next(each.sid for each in demo.users if each.account_name == "outsider")
    assert outsider not in {each.trustee for each in demo.grants} | {sid for each in demo.groups for sid in each.members}
    assert EVERYONE not in {each.trustee for each in demo.grants}


def test_rights_of_the_demo_world_stand_where_the_product_looks_for_them(demo: WorldDefinition) -> None:
    grants, groups = Grants(demo.grants), {each.name: each.sid for each in demo.groups}
    template = str(get_template(demo, "Software Certificate").id)
    assert grants.find_trustees(ObjectKind.PROFILE_TEMPLATE, template, Right.ENROLL) == {groups["Subscribers"]}
    assert grants.find_trustees(ObjectKind.CERTIFICATE_TEMPLATE, "SoftwareUser", Right.ENROLL) == {groups["Subscribers"]}
    assert grants.find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER) == {groups["Administrators"]}
    over_subscribers = (ObjectKind.PRINCIPAL, groups["Subscribers"])
    assert grants.find_trustees(*over_subscribers, Right.REQUEST_ENROLL) == {groups["Managers"]}
    assert grants.find_trustees(*over_subscribers, Right.ENROLLMENT_AGENT) == {groups["Help Desk"]}


def test_policies_and_keys_of_the_demo_world_are_those_of_the_issue(demo: WorldDefinition) -> None:
    vpn = get_template(demo, "Virtual Smartcard VPN")
    policy = vpn.get_policy(RequestType.ENROLL)
    assert [(each.name, each.required) for each in policy.data_items] == [
        ("Request Reason", True),
        ("name", False),
        ("city", False),
    ]
    assert (policy.collect_comments, policy.collect_priority, policy.self_service) == (False, True, True)
    assert vpn.smartcard is not None
    assert (vpn.smartcard.is_virtual, vpn.smartcard.default_admin_key_hex, vpn.smartcard.diversify_admin_key) == (
        True,
        "",
        True,
    )
    logon = get_template(demo, "Smart Card Logon")
    assert logon.get_policy(RequestType.ENROLL).enrollment_agent_required
    assert not logon.is_virtual_smartcard
    contoso = get_template(demo, "Contoso Virtual Smart Card").certificate_templates[0]
    assert (contoso.common_name, contoso.key.hash) == ("ContosoVirtualSmartCardLimitedRelease-KSP", HashAlgorithm.SHA1)
    managed = get_template(demo, "Managed Software Certificate").get_policy(RequestType.ENROLL)
    assert (managed.self_service, managed.approvals_needed) == (False, 2)
    assert managed.initiators
    assert managed.approvers


def test_the_archived_key_of_the_demo_world_is_made_by_the_server_and_can_be_recovered(demo: WorldDefinition) -> None:
    template = get_template(demo, "Signing and Archived Encryption")
    signing, encryption = template.certificate_templates
    assert (signing.key.origin, signing.key.archived) == (KeyOrigin.CLIENT, False)
    assert (encryption.key.origin, encryption.key.archived) == (KeyOrigin.SERVER, True)
    recover = template.get_policy(RequestType.RECOVER)
    assert (recover.self_service, recover.approvals_needed, recover.reissue_archived_certificates) == (True, 0, True)


def test_strong_keys_of_the_demo_world_have_the_sizes_of_their_algorithms(demo: WorldDefinition) -> None:
    keys = [(each.key.algorithm, each.key.bits) for each in get_template(demo, "Strong Keys").certificate_templates]
    assert keys == [(KeyAlgorithm.RSA, 3072), (KeyAlgorithm.ECDSA_P256, 256), (KeyAlgorithm.ECDSA_P384, 384)]


def test_the_demo_world_opens_no_escalation_path(demo: WorldDefinition) -> None:
    templates = [each for template in demo.templates for each in template.certificate_templates]
    assert templates
    assert [fault for each in templates for fault in list_escalation_paths(each)] == []


def test_what_a_file_leaves_out_is_the_default_of_the_domain() -> None:
    world = parse_world(SMALL)
    template = world.templates[0]
    assert template == ProfileTemplate(
        id=template.id,
        name="User",
        certificate_templates=template.certificate_templates,
        policies=template.policies,
    )
    assert (template.certificate_templates[0].key.bits, template.policies[RequestType.ENROLL].collect_comments) == (2048, True)


def test_rights_can_name_accounts_groups_sids_and_everyone() -> None:
    rights = '[service.rights]\naudit = ["ALICE", "everyone", "S-1-5-21-9-9-9-500"]\n'
    grants = parse_world(rights + SMALL).grants
    expected = {Sid("S-1-5-21-1-2-3-1001"), EVERYONE, Sid("S-1-5-21-9-9-9-500")}
    assert {each.trustee for each in grants if (each.object_kind, each.right) == (ObjectKind.SERVICE, Right.AUDIT)} == expected


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ('name = "CORP"', 'name = "CORP"\ncolour = "blue"', "domain.colour"),
        ('account = "alice"', "account = 7", "users[0].account"),
        ('account = "alice"', 'account = "CORP\\\\alice"', "users.CORP\\alice"),
        ('sid = "S-1-5-21-1-2-3-1001"', 'sid = "1001"', "users.alice.sid"),
        ('id = "8f1590dc-d932-4b66-8e68-2e91c5880780"', 'id = "8f1590dc"', "users[0].id"),
        ('"alice@example.com"', '"alice"', "users.alice.principal_name"),
        ('"CN=Alice,DC=example,DC=com"', '"Alice"', "users.alice.distinguished_name"),
        ('common_name = "User"', 'common_name = "User"\nmajor_version = 4294967296', "certificate_templates[0].major_version"),
        ('common_name = "User"', 'common_name = "User"\nminor_version = -1', "certificate_templates[0].minor_version"),
        (
            'oid = "1.3.6.1.4.1.311.21.8.1"',
            'oid = "1.3.6.1.4.1.311.21.8.1"\nvalidity = "1"',
            "certificate_templates.User.validity",
        ),
        ('certificate_templates = ["User"]', "certificate_templates = []", "profile_templates.User.certificate_templates"),
        ('certificate_templates = ["User"]', 'certificate_templates = ["X"]', "profile_templates.User.certificate_templates"),
        ("policies.enroll", "policies.marry", "profile_templates.User.policies"),
        ("self_service = true", 'approvers = ["nobody"]', "profile_templates.User.policies.enroll.approvers"),
        ("self_service = true", "self_service = 1", "profile_templates[0].policies.enroll.self_service"),
        ("self_service = true", "revocation.reason = 'x'", "profile_templates.User.policies.enroll.revocation.reason"),
    ],
)
def test_a_fault_is_told_by_the_key_it_is_about(before: str, after: str, where: str) -> None:
    assert before in SMALL
    assert list_faults(SMALL.replace(before, after)) == [where]


@pytest.mark.parametrize("sid", ["S-1-1-0", "S-1-5-18", "S-1-5-32-544", "S-1-5-21-1-2-3-01001", "S-1-5-21-1-2-3-4294967296"])
@pytest.mark.parametrize("kind", ["users.alice", "groups.Staff"])
def test_a_person_or_group_has_a_sid_of_its_own_in_its_one_spelling(kind: str, sid: str) -> None:
    group = f'[[groups]]\nid = "8f1590dc-d932-4b66-8e68-2e91c5880781"\nsid = "{sid}"\nname = "Staff"\n'
    text = SMALL.replace("S-1-5-21-1-2-3-1001", sid) if kind == "users.alice" else group + SMALL
    assert list_faults(text) == [f"{kind}.sid"]


def test_a_right_names_a_sid_in_its_one_spelling() -> None:
    assert list_faults('[service.rights]\naudit = ["S-1-5-21-9-9-9-0500"]\n' + SMALL) == ["service.rights.audit"]


OID = "1.3.6.1.4.1.311.21.8.1"


@pytest.mark.parametrize(
    "oid",
    [
        *("", "one", "1", ".1.2", "1.2.", "1..2", "1.2.-3", "1.2.1٣", "1.2\\n"),
        *("3.1", "1.40.1", "0.40", "1.2.03"),
        *("1.2" + ".1" * 80, f"1.2.{2**128}"),
    ],
)
@pytest.mark.parametrize("key", ["oid", "extended_key_usages", "certificate_policies"])
def test_an_object_identifier_that_no_certificate_could_hold_is_told_by_its_place(key: str, oid: str) -> None:
    line = f'oid = "{oid}"' if key == "oid" else f'oid = "{OID}"\n{key} = ["1.3.6.1.5.5.7.3.2", "{oid}"]'
    assert list_faults(SMALL.replace(f'oid = "{OID}"', line)) == [f"certificate_templates.User.{key}"]


@pytest.mark.parametrize("key", ["extended_key_usages", "certificate_policies"])
def test_no_usage_and_no_policy_stands_twice(key: str) -> None:
    line = f'oid = "{OID}"\n{key} = ["2.999.1", "2.999.2", "2.999.1"]'
    assert list_faults(SMALL.replace(f'oid = "{OID}"', line)) == [f"certificate_templates.User.{key}"]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=12), st.integers(0, 2), st.integers(0, 39))
def test_every_object_identifier_of_a_loaded_template_can_be_encoded(arcs: list[int], root: int, second: int) -> None:
    oid = ".".join(map(str, (root, second, *arcs)))
    ((template,),) = (each.certificate_templates for each in parse_world(SMALL.replace(OID, oid)).templates)
    assert encode_template_information(template.oid, template.major_version, template.minor_version).value


def test_all_faults_of_the_values_are_told_at_once() -> None:
    text = SMALL.replace('"S-1-5-21-1-2-3-1001"', '"x"').replace('"alice@example.com"', '"x"').replace('["User"]', '["X"]')
    assert list_faults(text) == [
        "users.alice.sid",
        "users.alice.principal_name",
        "profile_templates.User.certificate_templates",
    ]


def test_whatever_is_defined_twice_is_refused() -> None:
    repeated = SMALL[SMALL.index("[[users]]") : SMALL.index("[[certificate_templates]]")]
    assert set(list_faults(SMALL + repeated)) == {"account or group", "sid", "id", "principal_name"}


def test_an_admin_key_is_empty_or_of_24_bytes() -> None:
    card = '\n[profile_templates.smartcard]\ndefault_admin_key_hex = "{}"\n'
    assert parse_world(SMALL + card.format("00" * 24)).templates[0].is_smartcard
    assert list_faults(SMALL + card.format("00")) == ["profile_templates.User.smartcard.default_admin_key_hex"]
    aes = card + 'admin_key_algorithm = "aes-256"\n'
    assert list_faults(SMALL + aes.format("00" * 24)) == ["profile_templates.User.smartcard.default_admin_key_hex"]
    assert parse_world(SMALL + aes.format("00" * 32) + "maximum_challenges = 0\n").templates[0].is_smartcard
    assert list_faults(SMALL + card.format("") + "maximum_challenges = -1\n") == [
        "profile_templates.User.smartcard.maximum_challenges"
    ]


def test_a_first_pin_that_is_shorter_than_the_policy_is_refused() -> None:
    card = '\n[profile_templates.smartcard.user_pin]\nmin_length = 6\nmax_length = 8\ndefault_value = "{}"\n'
    assert parse_world(SMALL + card.format("123456")).templates[0].is_smartcard
    assert list_faults(SMALL + card.format("1234")) == ["profile_templates.User.smartcard.user_pin"]


def test_the_identifier_of_a_template_is_the_files() -> None:
    assert parse_world(SMALL).templates[0].id == UUID("12bd5120-86a2-4ee1-8d05-131066871578")


NOTIFYING = (
    SMALL
    + """
notifications = [{ type = "create-request", to = ["approvers", "security@contoso.com"] }]

[[profile_templates.policies.renew.notifications]]
type = "deny-request"
to = ["subject", "originator"]
template.subject = "No"
template.text = '''
Dear {{ subject.name }},
no.
'''
"""
)


def test_a_policy_says_who_is_told_of_what_with_which_mail() -> None:
    (template,) = parse_world(NOTIFYING).templates
    (asked,) = template.policies[RequestType.ENROLL].notifications
    assert (asked.type, asked.to, asked.template) == (
        NotificationType.CREATE_REQUEST,
        ("approvers", "security@contoso.com"),
        None,
    )
    (denied,) = template.policies[RequestType.RENEW].notifications
    assert denied.template == MailTemplate(subject="No", text="Dear {{ subject.name }},\nno.\n")


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("create-request", "create-reqest", "profile_templates[0].policies.enroll.notifications[0].type"),
        ("template.subject", "template.title", "profile_templates[0].policies.renew.notifications[0].template.title"),
        ('template.subject = "No"', "", "profile_templates[0].policies.renew.notifications[0].template"),
        ('principal_name = "', 'email = "Alice <alice@example.com>"\nprincipal_name = "', "users.alice.email"),
    ],
)
def test_faults_of_notifications_are_found(before: str, after: str, path: str) -> None:
    assert list_faults(NOTIFYING.replace(before, after)) == [path]
