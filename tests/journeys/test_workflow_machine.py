"""Random sequences of all operations by all roles, on the real server and on a model of it that is written by hand here."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from worlds.rest_steps import SOFTWARE, submit
from worlds.served import Served, SignedIn
from worlds.workflow_steps import MANAGED, rsa_request, target_of

SEQUENCES, STEPS = 60, 50
STEPS_WANTED = 2_000

ROLES = ["subscriber", "manager", "approver", "approver2", "helpdesk", "administrator", "outsider"]
KINDS = ["renew", "disable", "suspend", "reinstate", "duplicate", "onlineupdate", "retire"]
# What the demo world lets whom start about the subscriber's profiles.
STARTS = {
    "subscriber": {"enroll", "renew", "disable", "duplicate", "onlineupdate"},
    "manager": {"enroll", "managed", "renew", "duplicate", "onlineupdate"},
    "helpdesk": {"disable", "suspend", "reinstate", "retire"},
}
INITIATOR = {kind: "manager" if kind in STARTS["manager"] else "helpdesk" for kind in ["enroll", "managed", *KINDS]}
DELIVERING = {"enroll", "managed", "renew", "duplicate", "onlineupdate"}
FROM = {
    "renew": ({"active"}, {"primary"}),
    "duplicate": ({"active"}, {"primary"}),
    "onlineupdate": ({"active"}, {"primary", "duplicate"}),
    "disable": ({"active", "suspended"}, {"primary", "duplicate", "superseded"}),
    "suspend": ({"active"}, {"primary", "duplicate", "superseded"}),
    "reinstate": ({"suspended"}, {"primary", "duplicate", "superseded"}),
    "retire": ({"active", "suspended", "disabled"}, {"primary", "duplicate", "superseded"}),
}
ISSUED = {"enroll": "SoftwareUser", "managed": "ManagedSoftwareUser"}
LEAVES = {"disable": "disabled", "suspend": "suspended", "reinstate": "active", "retire": "retired"}
REQUEST_NUMBERS = {"approved": 3, "denied": 4, "completed": 8, "pending": 16, "canceled": 17, "executing": 18}
PROFILE_NUMBERS = {"new": 0, "active": 2, "disabled": 3, "suspended": 4, "retired": 6}
FLAG_NUMBERS = {"primary": 1, "duplicate": 2, "superseded": 4}
OPEN = {"pending", "approved", "executing"}


@dataclass
class ModelProfile:
    id: str
    status: str
    standing: str
    certificate_template: str
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

    @rule(kind=st.sampled_from(["enroll", "managed"]), by=st.sampled_from(ROLES))
    def open_new(self, kind: str, by: str) -> None:
        template = SOFTWARE if kind == "enroll" else MANAGED
        body = {"type": "Enroll", "profiletemplateuuid": template, "target": self.target}
        wanted = 201 if kind in STARTS.get(by, set()) else 403
        answer = self.call(by, "POST", "/requests", body, wanted)
        if wanted == 201:
            self.note(answer, kind, by, None)

    @rule(kind=st.sampled_from(KINDS), by=st.sampled_from(ROLES), choice=st.integers(0, 50))
    def open_about(self, kind: str, by: str, choice: int) -> None:
        self.open_about_profile(kind, by, self.profiles[choice % len(self.profiles)])

    def open_about_profile(self, kind: str, by: str, about: ModelProfile) -> None:
        body = {"type": kind, "profile": about.id}
        if kind == "onlineupdate":
            body["certificatetemplate"] = about.certificate_template
        wanted = self.expect_start(kind, by, about)
        answer = self.call(by, "POST", "/requests", body, wanted)
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

    @precondition(lambda self: any(each.kind == "managed" for each in self.requests))
    @rule(by=st.sampled_from(ROLES), status=st.sampled_from(["Approved", "Approved", "Denied"]), choice=st.integers(0, 50))
    def decide(self, by: str, status: str, choice: int) -> None:
        managed = [each for each in self.requests if each.kind == "managed"]
        self.decide_on(managed[-1 - choice % len(managed)], status, by)

    def decide_on(self, request: ModelRequest, status: str, by: str) -> None:
        if by not in ("approver", "approver2"):
            wanted = 403
        elif request.status != "pending" or (status == "Approved" and by in request.approvers):
            wanted = 409
        else:
            wanted = 200
            if status == "Denied":
                request.status = "denied"
            else:
                request.approvers.add(by)
                request.status = "approved" if len(request.approvers) == 2 else "pending"
        self.call(by, "PUT", f"/requests/{request.id}", {"status": status}, wanted)
        self.compare(request)

    @rule(kind=st.sampled_from(KINDS), choice=st.integers(0, 50))
    def run_through(self, kind: str, choice: int) -> None:
        """Take a request of *kind* to its end where somebody can: chance alone seldom finds who, what and when."""
        by = INITIATOR[kind] if choice % 2 or kind not in STARTS["subscriber"] else "subscriber"
        fitting = [each for each in self.profiles if self.expect_start(kind, by, each) == 201]
        if fitting:
            self.open_about_profile(kind, by, fitting[choice % len(fitting)])
            request = self.requests[-1]
            if kind in DELIVERING:
                self.post(request, "subscriber")
            self.close(request, "Completed", "subscriber")

    @precondition(lambda self: any(each.kind == "managed" and each.status in OPEN for each in self.requests))
    @rule()
    def run_managed_through(self) -> None:
        """Take a request that waits for two approvals to its end."""
        request = next(each for each in self.requests if each.kind == "managed" and each.status in OPEN)
        for by in ("approver", "approver2"):
            if request.status == "pending" and by not in request.approvers:
                self.decide_on(request, "Approved", by)
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
        return 201

    def fits(self, kind: str, about: ModelProfile | None) -> bool:
        return about is None or (about.status in FROM[kind][0] and about.standing in FROM[kind][1])

    def may_execute(self, request: ModelRequest, by: str) -> bool:
        return by == "subscriber" or (request.kind not in DELIVERING and by == request.originator)

    def post(self, request: ModelRequest, by: str) -> None:
        if not self.may_execute(request, by):
            wanted = 403
        elif request.status not in ("approved", "executing") or request.kind not in DELIVERING:
            wanted = 409
        else:
            wanted = 200 if self.fits(request.kind, request.about) else 409
        type(self).steps += 1
        answer = submit(self.sign_in(by), request.id, rsa_request())
        assert answer.status_code == wanted, (request, by, answer.text)
        if wanted == 200:
            assert [each["Error"] for each in answer.json()] == [None]
            request.status, request.delivered = "executing", True
            if request.made is None and request.kind != "onlineupdate":
                made = self.sign_in(by).get(f"/requests/{request.id}").json()["NewProfileUuid"]
                standing, primary = ("duplicate", request.about) if request.kind == "duplicate" else ("primary", None)
                issued = request.about.certificate_template if request.about else ISSUED[request.kind]
                request.made = ModelProfile(made, "new", standing, issued, primary)
                self.profiles.append(request.made)
        self.compare(request)

    def close(self, request: ModelRequest, status: str, by: str) -> None:
        wanted = self.complete(request, by) if status == "Completed" else self.cancel(request, by)
        self.call(by, "PUT", f"/requests/{request.id}", {"status": status}, wanted)
        self.compare(request)

    def complete(self, request: ModelRequest, by: str) -> int:
        if not self.may_execute(request, by):
            return 403
        if request.status not in ("approved", "executing") or not self.fits(request.kind, request.about):
            return 409
        if request.kind in DELIVERING and not request.delivered:
            return 409
        request.status = "completed"
        type(self).completed.add(request.kind)
        if request.made is not None:
            request.made.status = "active"
        if request.about is not None and request.kind == "renew":
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

    def note(self, answer: httpx.Response, kind: str, by: str, about: ModelProfile | None) -> None:
        status = "pending" if kind == "managed" else "approved"
        request = ModelRequest(str(answer.json()).rpartition("/")[2], kind, by, status, about)
        self.requests.append(request)
        self.compare(request)

    def pick(self, choice: int) -> ModelRequest:
        return self.requests[-1 - choice % len(self.requests)]

    def compare(self, request: ModelRequest) -> None:
        """Hold the request and its profiles on the server against the model."""
        client = self.sign_in("subscriber")
        assert client.get(f"/requests/{request.id}").json()["Status"] == REQUEST_NUMBERS[request.status]
        for each in (request.about, request.made):
            if each is not None:
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
    """Complete a request of each kind: chance alone leaves one out now and then."""
    machine.begin()
    machine.open_new("managed", "manager")
    machine.run_managed_through()
    for kind in KINDS:
        machine.run_through(kind, 0)
    machine.teardown()


def test_random_workflows_go_as_the_model_says(served: Served, sign_in: SignedIn) -> None:
    world = {"served": served, "sign_in": staticmethod(sign_in), "target": str(target_of(served)), "completed": set()}
    machine = type("WorkflowsOfThisServer", (Workflows,), world)
    walk_through_every_kind(machine())
    assert machine.completed == {"enroll", "managed", *KINDS}  # type: ignore[attr-defined]
    walked = machine.steps  # type: ignore[attr-defined]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.steps - walked >= STEPS_WANTED  # type: ignore[attr-defined]
