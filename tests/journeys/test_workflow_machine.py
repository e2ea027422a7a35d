"""Random sequences of all operations by all roles, on the real server and on a model of it that is written by hand here."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from certwright.application.import_templates import import_templates
from certwright.domain.requests import RequestId
from worlds.rest_steps import submit
from worlds.served import Served, SignedIn, install, serve
from worlds.workflow_steps import rsa_request, target_of

STEPS_WANTED = 2_000
ROUND = settings(
    max_examples=15,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PFX_PASSWORD = "correct horse battery"

TEMPLATES = {
    "enroll": "00000000-0000-4000-8000-0000000000a1",
    "archived": "00000000-0000-4000-8000-0000000000a2",
    "asked": "00000000-0000-4000-8000-0000000000a3",
}
CERTIFICATES = """
[[certificate_templates]]
common_name = "enroll"
oid = "2.999.1"
rights.enroll = ["Subscribers"]

# A key on a curve agrees: it is made faster than one that wraps, and archived as well.
[[certificate_templates]]
common_name = "archived"
oid = "2.999.2"
key = { algorithm = "ECDSA_P256", origin = "server", archived = true }
key_usages = ["key-agreement"]
extended_key_usages = ["1.3.6.1.5.5.7.3.4"]
rights.enroll = ["Subscribers"]

[[certificate_templates]]
common_name = "asked"
oid = "2.999.3"
rights.enroll = ["Subscribers"]
"""
ENROLL = """self_service = true
initiators = ["Managers"]
"""
ASKED = """initiators = ["Managers"]
approvals_needed = 2
approvers = ["Approvers"]
data_items = [
  { name = "Cost Centre", originator = "manager", required = true, pattern = "[0-9]{4}" },
  { name = "Badge", type = "number", required = true, sensitive = true },
]
"""
TEMPLATE = """
[[profile_templates]]
id = "{id}"
name = "Machine {kind}"
certificate_templates = ["{kind}"]
rights.read = ["Subscribers", "Managers", "Approvers", "Help Desk"]
rights.enroll = ["Subscribers"]
policies.renew = {{ self_service = true, initiators = ["Managers"] }}
policies.recover = {{ self_service = true, initiators = ["Managers"], reissue_archived_certificates = true }}
policies.disable = {{ self_service = true, initiators = ["Help Desk"] }}
policies.suspend-or-reinstate = {{ initiators = ["Help Desk"] }}
policies.retire = {{ initiators = ["Help Desk"] }}

[profile_templates.policies.recover-on-behalf]
initiators = ["Managers"]
approvals_needed = 1
approvers = ["Approvers"]
enrollment_agent_required = true
enrollment_agents = ["Help Desk"]

[profile_templates.policies.duplicate]
self_service = true
initiators = ["Managers"]
maximum_duplicates = 2

[profile_templates.policies.online-update]
self_service = true
initiators = ["Managers"]
allow_specify_certificate_template = true
"""

ROLES = ["subscriber", "manager", "approver", "approver2", "helpdesk", "administrator", "outsider"]
NEW = ["enroll", "archived", "asked"]
KINDS = ["renew", "recover", "recoveronbehalf", "disable", "suspend", "reinstate", "duplicate", "onlineupdate", "retire"]
# What the templates let whom start about the subscriber's profiles.
STARTS = {
    "subscriber": {"enroll", "archived", "renew", "recover", "disable", "duplicate", "onlineupdate"},
    "manager": {"enroll", "archived", "asked", "renew", "recover", "recoveronbehalf", "duplicate", "onlineupdate"},
    "helpdesk": {"disable", "suspend", "reinstate", "retire"},
}
INITIATOR = {kind: "manager" if kind in STARTS["manager"] else "helpdesk" for kind in [*NEW, *KINDS]}
DELIVERING = {*NEW, "renew", "recover", "recoveronbehalf", "duplicate", "onlineupdate"}
FROM_ARCHIVE = {"recover", "recoveronbehalf"}
APPROVALS = {"asked": 2, "recoveronbehalf": 1}
MANAGERS_ITEM, SUBSCRIBERS_ITEM = "Cost Centre", "Badge"
ITEMS = {MANAGERS_ITEM: ["1234", "0000", "12x"], SUBSCRIBERS_ITEM: ["17", "-4", "many"]}
WRONG = {"12x", "many"}
FROM = {
    "renew": ({"active"}, {"primary"}),
    "recover": ({"active", "suspended", "disabled"}, {"primary"}),
    "recoveronbehalf": ({"active", "suspended", "disabled", "retired"}, {"primary", "superseded"}),
    "duplicate": ({"active"}, {"primary"}),
    "onlineupdate": ({"active"}, {"primary", "duplicate"}),
    "disable": ({"active", "suspended"}, {"primary", "duplicate", "superseded", "escrow"}),
    "suspend": ({"active"}, {"primary", "duplicate", "superseded", "escrow"}),
    "reinstate": ({"suspended"}, {"primary", "duplicate", "superseded", "escrow"}),
    "retire": ({"active", "suspended", "disabled"}, {"primary", "duplicate", "superseded", "escrow"}),
}
LEAVES = {"disable": "disabled", "suspend": "suspended", "reinstate": "active", "retire": "retired"}
REQUEST_NUMBERS = {"approved": 3, "denied": 4, "completed": 8, "pending": 16, "canceled": 17, "executing": 18}
PROFILE_NUMBERS = {"new": 0, "active": 2, "disabled": 3, "suspended": 4, "retired": 6}
FLAG_NUMBERS = {"primary": 1, "duplicate": 2, "superseded": 4, "escrow": 16}
OPEN = {"pending", "approved", "executing"}


@dataclass
class ModelProfile:
    id: str
    status: str
    standing: str
    template: str
    primary: "ModelProfile | None" = None


@dataclass
class ModelRequest:
    id: str
    kind: str
    originator: str
    status: str
    about: ModelProfile | None
    made: ModelProfile | None = None
    delivered: bool = False
    approvers: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    completed_by: str = ""

    @property
    def lacks_answers(self) -> bool:
        return self.kind == "asked" and self.answers.keys() != ITEMS.keys()


class Workflows(RuleBasedStateMachine):
    served: ClassVar[Served]
    sign_in: ClassVar[SignedIn]
    target: ClassVar[str]
    steps: ClassVar[int] = 0
    completed: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.profiles: list[ModelProfile] = []
        self.requests: list[ModelRequest] = []

    # -- what is done --------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.open_new("enroll", "subscriber")
        (request,) = self.requests
        self.post(request, "subscriber")
        self.close(request, "Completed", "subscriber")

    @rule(kind=st.sampled_from(["enroll", "archived"]), by=st.sampled_from(ROLES))
    def open_new(self, kind: str, by: str) -> None:
        body = {"type": "Enroll", "profiletemplateuuid": TEMPLATES[kind], "target": self.target}
        wanted = 201 if kind in STARTS.get(by, set()) else 403
        answer = self.call(by, "POST", "/requests", body, wanted)
        if wanted == 201:
            self.note(answer, kind, by, None)

    @rule(by=st.sampled_from(["manager", *ROLES]), value=st.sampled_from([None, None, *ITEMS[MANAGERS_ITEM]]))
    def open_asked(self, by: str, value: str | None) -> None:
        """Open a request that waits for two approvals and two answers, with or without the manager's."""
        given = [] if value is None else [{"Name": MANAGERS_ITEM, "Value": value}]
        body = {"type": "Enroll", "profiletemplateuuid": TEMPLATES["asked"], "target": self.target, "datacollection": given}
        wanted = (201 if value not in WRONG else 400) if "asked" in STARTS.get(by, set()) else 403
        answer = self.call(by, "POST", "/requests", body, wanted)
        if wanted == 201:
            self.note(answer, "asked", by, None, {} if value is None else {MANAGERS_ITEM: value})

    @rule(kind=st.sampled_from(KINDS), by=st.sampled_from(ROLES), choice=st.integers(0, 50))
    def open_about(self, kind: str, by: str, choice: int) -> None:
        self.open_about_profile(kind, by, self.profiles[choice % len(self.profiles)])

    def open_about_profile(self, kind: str, by: str, about: ModelProfile) -> None:
        body = {"type": kind, "profile": about.id}
        if kind == "onlineupdate":
            body["certificatetemplate"] = about.template
        wanted = self.expect_start(kind, by, about)
        answer = self.call(by, "POST", "/requests", body, wanted)
        if self.finds_nothing_archived(kind, by, about):
            assert answer.json()["ErrorCode"] == "nothing-archived"
        if wanted == 201:
            self.note(answer, kind, by, about)

    @precondition(lambda self: self.requests)
    @rule(by=st.sampled_from(ROLES), choice=st.integers(0, 50))
    def post_certificate_request(self, by: str, choice: int) -> None:
        self.post(self.pick(choice), by)

    @precondition(lambda self: self.requests)
    @rule(by=st.sampled_from(ROLES), status=st.sampled_from(["Completed", "Completed", "Canceled"]), choice=st.integers(0, 50))
    def close_one(self, by: str, status: str, choice: int) -> None:
        self.close(self.pick(choice), status, by)

    @precondition(lambda self: any(each.kind in APPROVALS for each in self.requests))
    @rule(
        by=st.sampled_from(["approver", "approver2", *ROLES]),
        status=st.sampled_from(["Approved", "Approved", "Approved", "Denied"]),
        value=st.sampled_from([None, None, None, *ITEMS[MANAGERS_ITEM]]),
        choice=st.integers(0, 50),
    )
    def decide(self, by: str, status: str, value: str | None, choice: int) -> None:
        waiting = [each for each in self.requests if each.kind in APPROVALS]
        request = waiting[-1 - choice % len(waiting)]
        self.decide_on(request, status, by, value if status == "Approved" and request.kind == "asked" else None)

    def decide_on(self, request: ModelRequest, status: str, by: str, value: str | None = None) -> None:
        body: dict[str, Any] = {"status": status}
        if value is not None:
            body["datacollection"] = [{"Name": MANAGERS_ITEM, "Value": value}]
        wanted = self.expect_decision(request, status, by, value)
        if wanted == 200 and status == "Denied":
            request.status = "denied"
        elif wanted == 200:
            request.answers |= {} if value is None else {MANAGERS_ITEM: value}
            request.approvers.add(by)
            request.status = "approved" if len(request.approvers) == APPROVALS[request.kind] else "pending"
        self.call(by, "PUT", f"/requests/{request.id}", body, wanted)
        self.compare(request)

    @precondition(lambda self: any(each.kind == "asked" for each in self.requests))
    @rule(
        by=st.sampled_from(["subscriber", "manager", *ROLES]),
        item=st.sampled_from([SUBSCRIBERS_ITEM, SUBSCRIBERS_ITEM, MANAGERS_ITEM]),
        which=st.integers(0, 2),
        choice=st.integers(0, 50),
    )
    def supply(self, by: str, item: str, which: int, choice: int) -> None:
        self.supply_to(self.pick_asked(choice), by, item, ITEMS[item][which])

    def supply_to(self, request: ModelRequest, by: str, item: str, value: str) -> None:
        """Answer one question, be it one's own or not, in the right form or not."""
        is_open = by == "subscriber" and item == SUBSCRIBERS_ITEM and item not in request.answers
        if by not in ("subscriber", "manager"):
            wanted = 403
        elif request.status not in ("pending", "approved"):
            wanted = 409
        elif request.approvers and request.answers.get(item) != value and not is_open:
            # What was answered has been approved.
            wanted = 409
        elif (item == SUBSCRIBERS_ITEM) is not (by == "subscriber") or value in WRONG:
            wanted = 400
        else:
            wanted = 200
            request.answers[item] = value
        body = {"datacollection": [{"Name": item, "Value": value}]}
        self.call(by, "PUT", f"/requests/{request.id}", body, wanted)
        self.compare(request)

    @rule(kind=st.sampled_from(KINDS), choice=st.integers(0, 50))
    def run_through(self, kind: str, choice: int) -> None:
        """Take a request of *kind* to its end where somebody can: chance alone seldom finds who, what and when."""
        by = INITIATOR[kind] if choice % 2 or kind not in STARTS["subscriber"] else "subscriber"
        fitting = [each for each in self.profiles if self.expect_start(kind, by, each) == 201]
        if fitting:
            self.open_about_profile(kind, by, fitting[choice % len(fitting)])
            request = self.requests[-1]
            if kind in APPROVALS:
                self.decide_on(request, "Approved", "approver")
            executor = "helpdesk" if kind == "recoveronbehalf" else "subscriber"
            if kind in DELIVERING:
                self.post(request, executor)
            self.close(request, "Completed", executor)

    @rule()
    def enroll_archived(self) -> None:
        """Make a profile that keys can be recovered of."""
        self.open_new("archived", "subscriber")
        request = self.requests[-1]
        self.post(request, "subscriber")
        self.close(request, "Completed", "subscriber")

    @precondition(lambda self: any(each.kind == "asked" and each.status in OPEN for each in self.requests))
    @rule()
    def run_asked_through(self) -> None:
        """Take a request that waits for approvals and answers to its end."""
        request = next(each for each in self.requests if each.kind == "asked" and each.status in OPEN)
        value = request.answers.get(MANAGERS_ITEM, "1234")
        for by in ("approver", "approver2"):
            if request.status == "pending" and by not in request.approvers:
                self.decide_on(request, "Approved", by, value)
        if request.status == "approved":
            self.supply_to(request, "subscriber", SUBSCRIBERS_ITEM, "17")
        self.post(request, "subscriber")
        self.close(request, "Completed", "subscriber")

    # -- what is expected ----------------------------------------------------------------------------------------------

    def expect_start(self, kind: str, by: str, about: ModelProfile) -> int:
        if kind not in STARTS.get(by, set()):
            return 403
        duplicates = [each for each in self.profiles if each.primary is about and each.status in ("new", "active")]
        is_open = any(each.about is about and each.kind == kind and each.status in OPEN for each in self.requests)
        if not self.fits(kind, about) or is_open or (kind == "duplicate" and len(duplicates) >= 2):
            return 409
        return 409 if self.finds_nothing_archived(kind, by, about) else 201

    def finds_nothing_archived(self, kind: str, by: str, about: ModelProfile) -> bool:
        """Return whether that is the one thing that is wrong."""
        is_open = any(each.about is about and each.kind == kind and each.status in OPEN for each in self.requests)
        may_start = kind in STARTS.get(by, set()) and self.fits(kind, about) and not is_open
        return may_start and kind in FROM_ARCHIVE and about.template != "archived"

    def expect_decision(self, request: ModelRequest, status: str, by: str, value: str | None) -> int:
        if by not in ("approver", "approver2"):
            return 403
        if request.status != "pending":
            return 409
        if value in WRONG:
            return 400
        if status == "Denied":
            return 200
        answered = request.answers.get(MANAGERS_ITEM)
        differs = request.approvers and value is not None and answered not in (None, value)
        if differs or by in request.approvers:
            return 409
        is_last = request.kind == "asked" and len(request.approvers) == 1
        return 400 if is_last and answered is None and value is None else 200

    def fits(self, kind: str, about: ModelProfile | None) -> bool:
        return about is None or (about.status in FROM[kind][0] and about.standing in FROM[kind][1])

    def may_execute(self, request: ModelRequest, by: str) -> bool:
        if request.kind == "recoveronbehalf":
            return by == "helpdesk"
        return by == "subscriber" or (request.kind not in DELIVERING and by == request.originator)

    def post(self, request: ModelRequest, by: str) -> None:
        if not self.may_execute(request, by):
            wanted = 403
        elif request.status not in ("approved", "executing") or request.kind not in DELIVERING or request.lacks_answers:
            wanted = 409
        else:
            wanted = 200 if self.fits(request.kind, request.about) else 409
        type(self).steps += 1
        template = request.about.template if request.about else request.kind
        keys = [] if template == "archived" else [rsa_request(request.id)]
        answer = submit(self.sign_in(by), request.id, *keys, pfxpassword=PFX_PASSWORD)
        assert answer.status_code == wanted, (request, by, answer.text)
        if wanted == 200:
            delivered = answer.json()
            assert {each["Error"] for each in delivered} == {None}
            is_given_back = template == "archived" and request.kind in ("renew", "recover", "recoveronbehalf")
            # A duplicate shares what is archived, as key history only where it is out of use.
            if request.kind != "duplicate":
                assert any(each["isKeyHistory"] for each in delivered) is is_given_back, (request, delivered)
            request.status, request.delivered = "executing", True
            if request.made is None and request.kind != "onlineupdate":
                made = self.sign_in(by).get(f"/requests/{request.id}").json()["NewProfileUuid"]
                standing, primary = ("duplicate", request.about) if request.kind == "duplicate" else ("primary", None)
                if request.kind == "recoveronbehalf":
                    request.made = ModelProfile(made, "new", "escrow", template)
                else:
                    request.made = ModelProfile(made, "new", standing, template, primary)
                    self.profiles.append(request.made)
        self.compare(request)

    def close(self, request: ModelRequest, status: str, by: str) -> None:
        wanted = self.complete(request, by) if status == "Completed" else self.cancel(request, by)
        self.call(by, "PUT", f"/requests/{request.id}", {"status": status}, wanted)
        self.compare(request)

    def complete(self, request: ModelRequest, by: str) -> int:
        if not self.may_execute(request, by):
            return 403
        if request.status == "completed" and request.completed_by == by:
            # The answer of before, once more.
            return 200
        if request.status not in ("approved", "executing") or not self.fits(request.kind, request.about):
            return 409
        if request.lacks_answers or (request.kind in DELIVERING and not request.delivered):
            return 409
        request.status, request.completed_by = "completed", by
        type(self).completed.add(request.kind)
        if request.made is not None:
            request.made.status = "active"
        if request.about is not None and request.kind in ("renew", "recover"):
            request.about.standing = "superseded"
        if request.about is not None and request.kind in LEAVES:
            request.about.status = LEAVES[request.kind]
        return 200

    def cancel(self, request: ModelRequest, by: str) -> int:
        if by not in ("subscriber", request.originator, INITIATOR[request.kind]):
            return 403
        if request.status not in OPEN:
            return 409
        request.status = "canceled"
        if request.made is not None:
            request.made.status = "disabled"
        return 200

    # -- the real one --------------------------------------------------------------------------------------------------

    def call(self, by: str, method: str, path: str, body: dict[str, Any], wanted: int) -> httpx.Response:
        type(self).steps += 1
        answer = self.sign_in(by).request(method, path, json=body)
        assert answer.status_code == wanted, (by, method, path, body, answer.text)
        return answer

    def note(
        self, answer: httpx.Response, kind: str, by: str, about: ModelProfile | None, answers: dict[str, str] | None = None
    ) -> None:
        status = "pending" if kind in APPROVALS else "approved"
        request = ModelRequest(str(answer.json()).rpartition("/")[2], kind, by, status, about, answers=answers or {})
        self.requests.append(request)
        self.compare(request)

    def pick(self, choice: int) -> ModelRequest:
        return self.requests[-1 - choice % len(self.requests)]

    def pick_asked(self, choice: int) -> ModelRequest:
        asked = [each for each in self.requests if each.kind == "asked"]
        return asked[-1 - choice % len(asked)]

    def compare(self, request: ModelRequest) -> None:
        """Hold the request and its profiles on the server against the model."""
        client = self.sign_in("subscriber")
        assert client.get(f"/requests/{request.id}").json()["Status"] == REQUEST_NUMBERS[request.status]
        with self.served.installation.world.store.reading() as session:
            data = session.requests.get(RequestId(UUID(request.id))).data
        assert {each.name: each.value for each in data} == request.answers, request
        for each in (request.about, request.made):
            if each is not None and each.standing == "escrow":
                found = self.sign_in("helpdesk").get(f"/profiles/{each.id}").json()
                assert (found["Status"], found["Flags"]) == (PROFILE_NUMBERS[each.status], FLAG_NUMBERS["escrow"])
            elif each is not None:
                found = client.get(f"/profiles/{each.id}").json()
                wanted = (PROFILE_NUMBERS[each.status], FLAG_NUMBERS[each.standing])
                assert (found["Status"], found["Flags"]) == wanted, (each, request)
                listed = {kind for kind in KINDS if self.expect_start(kind, "subscriber", each) == 201}
                assert set(found["ProfileOperations"]) == listed, (each, request)

    def teardown(self) -> None:
        """Look at everything once more: nothing was changed by what was about something else."""
        for request in self.requests:
            self.compare(request)


def walk_through_every_kind(machine: Workflows) -> None:
    """Complete a request of each kind, and try to change what was approved: chance alone leaves one out now and then."""
    machine.begin()
    machine.open_asked("manager", "1234")
    (request,) = machine.requests[1:]
    for by, value in (("approver", None), ("approver", None), ("approver2", "0000"), ("approver2", "12x")):
        machine.decide_on(request, "Approved", by, value)
    for by in ("subscriber", "manager"):
        for item, values in ITEMS.items():
            for value in values:
                machine.supply_to(request, by, item, value)
    machine.run_asked_through()
    for kind in FROM_ARCHIVE:
        machine.open_about(kind, "manager", 0)
    machine.enroll_archived()
    for kind in KINDS:
        machine.run_through(kind, 1 if kind == "recoveronbehalf" else 0)
    machine.teardown()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, with the templates of the machine."""
    templates = [
        TEMPLATE.format(id=id_, kind=kind) + f"\n[profile_templates.policies.enroll]\n{ASKED if kind == 'asked' else ENROLL}"
        for kind, id_ in TEMPLATES.items()
    ]
    with install(tmp_path_factory.mktemp("machine") / "data") as installation:
        text = CERTIFICATES + "".join(templates)
        import_templates(text, "machine.toml", operator="a test", world=installation.world)
        with serve(installation) as served:
            yield served


def test_random_workflows_go_as_the_model_says(asked: Served) -> None:
    clients: dict[str, httpx.Client] = {}
    with ExitStack() as stack:

        def sign_in(user: str) -> httpx.Client:
            if user not in clients:
                clients[user] = stack.enter_context(asked.client(user))
            return clients[user]

        world = {"served": asked, "sign_in": staticmethod(sign_in), "target": str(target_of(asked)), "completed": set()}
        machine = type("WorkflowsOfThisServer", (Workflows,), world)
        walk_through_every_kind(machine())
        assert machine.completed == {*NEW, *KINDS}  # type: ignore[attr-defined]
        walked = machine.steps  # type: ignore[attr-defined]
        # How long a sequence is, chance decides: until there are steps enough, another round is made.
        while machine.steps - walked < STEPS_WANTED:  # type: ignore[attr-defined]
            run_state_machine_as_test(machine, settings=ROUND)  # type: ignore[no-untyped-call]
