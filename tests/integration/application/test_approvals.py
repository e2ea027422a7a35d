"""Which approvals count: those of people who could give them now; and recovery for others, which takes three people."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from certwright.adapters.keys.software import SoftwareDecryptionKey, SoftwareKeySafe
from certwright.adapters.sql.tables import approvals
from certwright.application.approve_request import approve_request, supply_data
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.explain_access import explain_request
from certwright.application.plan_certificate_requests import plan_certificate_requests
from certwright.application.read_requests import read_request
from certwright.application.recover_offline import export_archived_keys
from certwright.application.trace_request import trace_request
from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import AccessDenied, AnswersApproved, ApprovalsMissing, TransitionRefused
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal, Sid
from certwright.domain.keys import SealedKey
from certwright.domain.policies import Answers, Policy
from certwright.domain.profiles import ProfileId
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId, RequestStatus
from certwright.domain.workflows import Operation
from worlds.authorities import KEK
from worlds.contoso import (
    ADMINISTRATOR,
    ADMINISTRATORS,
    AGENT,
    AGENTS,
    APPROVER,
    APPROVERS,
    MANAGER,
    MANAGERS,
    SUBSCRIBER,
    SUBSCRIBERS,
)
from worlds.house import ONE, PFX_PASSWORD, SECOND, TWO, House, csr, signed_in

ENROLL = Policy(initiators=frozenset({MANAGERS}), approvals_needed=1, approvers=frozenset({APPROVERS, AGENTS, ADMINISTRATORS}))
RECOVER = Policy(
    initiators=frozenset({MANAGERS}),
    approvals_needed=1,
    approvers=frozenset({APPROVERS, AGENTS, MANAGERS}),
    enrollment_agents=frozenset({AGENTS, MANAGERS, ADMINISTRATORS}),
    enrollment_agent_required=True,
)
Lose = Callable[[House], None]


@pytest.fixture(autouse=True)
def rights(house: House) -> None:
    """Let help desk and administrators read what they are to approve, and act as agents."""
    with house.store.writing() as session:
        given = [
            *(Grant(ObjectKind.PROFILE_TEMPLATE, str(ONE.id), Right.READ, each) for each in (AGENTS, ADMINISTRATORS)),
            *(Grant(ObjectKind.PROFILE_TEMPLATE, str(TWO.id), Right.READ, each) for each in (AGENTS, ADMINISTRATORS)),
            *(Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.ENROLLMENT_AGENT, each) for each in (MANAGERS, ADMINISTRATORS)),
            Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.REQUEST_RECOVER, MANAGERS),
        ]
        session.directory.replace_grants([*session.directory.load_grants(), *given])


def start(house: House, approvals: int = 1) -> RequestId:
    """Return a request of the manager for the subscriber that waits for approvals."""
    house.save(replace(ONE, policies={RequestType.ENROLL: replace(ENROLL, approvals_needed=approvals)}))
    return house.open(ONE, by=MANAGER, target=SUBSCRIBER)


def approve(house: House, request_id: RequestId, by: Principal) -> RequestStatus:
    with house.store.reading() as session:
        found = session.directory.find_principal(by.user.id)
    assert found is not None
    return approve_request(request_id, by=signed_in(found), world=house.world).request.status


def switch(house: House, who: Principal, *, enabled: bool) -> None:
    with house.store.writing() as session:
        session.directory.save_user(replace(who.user, enabled=enabled))


def disable_approver(house: House) -> None:
    switch(house, APPROVER, enabled=False)


def leave_the_group(house: House) -> None:
    with house.store.writing() as session:
        (group,) = (each for each in session.directory.list_groups() if each.sid == APPROVERS)
        session.directory.save_group(replace(group, members=frozenset[Sid]()))


def lose_read(house: House) -> None:
    with house.store.writing() as session:
        kept = [each for each in session.directory.load_grants() if (each.right, each.trustee) != (Right.READ, APPROVERS)]
        session.directory.replace_grants(kept)


LOSSES = pytest.mark.parametrize("lose", [disable_approver, leave_the_group, lose_read])


@LOSSES
def test_lost_approval_does_not_count_at_the_last_one(house: House, lose: Lose) -> None:
    request_id = start(house, approvals=2)
    assert approve(house, request_id, APPROVER) is RequestStatus.PENDING
    lose(house)
    assert approve(house, request_id, AGENT) is RequestStatus.PENDING
    assert house.list_events(request_id)[-1].details["approvals"] == "1 of 2"
    assert approve(house, request_id, ADMINISTRATOR) is RequestStatus.APPROVED


@LOSSES
def test_lost_approval_stops_the_execution_until_another_approves(house: House, lose: Lose) -> None:
    request_id = start(house)
    assert approve(house, request_id, APPROVER) is RequestStatus.APPROVED
    lose(house)
    by = signed_in(SUBSCRIBER)
    for refused in (
        lambda: house.post(request_id, csr("s1")),
        lambda: plan_certificate_requests(request_id, by=by, world=house.world),
        lambda: complete_request(request_id, by=by, world=house.world),
    ):
        with pytest.raises(ApprovalsMissing, match="0 of 1 approvals count"):
            refused()
    assert house.certificates(request_id) == ()
    assert [each.approver_id for each in trace_request(request_id, operator="root", world=house.world).counting_approvals] == []
    with pytest.raises(AnswersApproved):
        approve_request(request_id, by=signed_in(AGENT), world=house.world, data=(DataItem("Reason", "x"),))
    assert approve(house, request_id, AGENT) is RequestStatus.APPROVED
    (delivered,) = house.post(request_id, csr("s1"))
    assert delivered.error is None
    complete_request(request_id, by=by, world=house.world)


def test_approval_that_is_lost_during_the_execution_is_given_by_another(house: House) -> None:
    request_id = start(house)
    approve(house, request_id, APPROVER)
    house.post(request_id, csr("s1"))
    disable_approver(house)
    with pytest.raises(ApprovalsMissing):
        complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert approve(house, request_id, AGENT) is RequestStatus.EXECUTING
    completed = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request
    assert completed.status is RequestStatus.COMPLETED
    traced = trace_request(request_id, operator="root", world=house.world)
    assert len(traced.counting_approvals) == len(traced.approvals) == 2


def test_approval_counts_again_when_its_approver_is_back(house: House) -> None:
    request_id = start(house)
    approve(house, request_id, APPROVER)
    disable_approver(house)
    with pytest.raises(ApprovalsMissing):
        house.post(request_id, csr("s1"))
    switch(house, APPROVER, enabled=True)
    assert house.post(request_id, csr("s1"))[0].error is None


def test_what_is_approved_is_not_approved_again(house: House) -> None:
    request_id = start(house)
    approve(house, request_id, APPROVER)
    with pytest.raises(TransitionRefused, match="approved cannot be approved"):
        approve(house, request_id, AGENT)
    assert read_request(request_id, by=signed_in(MANAGER), world=house.world).request.status is RequestStatus.APPROVED


# -- what was approved -----------------------------------------------------------------------------------------------------

ITEMS = (
    DataItemDefinition(name="Subject", required=True, originator=DataItemOriginator.MANAGER),
    DataItemDefinition(name="Note", originator=DataItemOriginator.MANAGER),
    DataItemDefinition(name="Purpose", required=True),
    DataItemDefinition(name="Badge", sensitive=True),
    DataItemDefinition(name="Language", default="en"),
)


def ask_with_items(house: House, by: Principal, *data: DataItem, approvals: int = 1) -> RequestId:
    """Return a request for the subscriber, of a policy that asks both sides."""
    policy = replace(ENROLL, self_service=True, approvals_needed=approvals, data_items=ITEMS)
    house.save(replace(ONE, policies={RequestType.ENROLL: policy}))
    wish = RequestWish(operation=Operation.ENROLL, template_id=ONE.id, target_id=SUBSCRIBER.user.id, answers=Answers(data=data))
    return create_request(wish, by=signed_in(by), world=house.world).id


def answer(house: House, request_id: RequestId, by: Principal, **data: str | None) -> dict[str, str | None]:
    given = tuple(DataItem(name, value) for name, value in data.items())
    seen = supply_data(request_id, given, by=signed_in(by), world=house.world)
    return {each.name: each.value for each in seen.request.data}


@pytest.mark.parametrize("opened_by", [SUBSCRIBER, MANAGER], ids=["subject", "manager"])
@pytest.mark.parametrize("value", ["CN=Chief Executive", "", None])
def test_whatever_was_answered_when_somebody_approved_stays_on_every_side(
    house: House, opened_by: Principal, value: str | None
) -> None:
    request_id = ask_with_items(house, opened_by)
    answer(house, request_id, SUBSCRIBER, Purpose="reading mail", Badge="12")
    name = (DataItem("Subject", "CN=Sam"),)
    approve_request(request_id, by=signed_in(APPROVER), world=house.world, data=name)
    for by, item in ((MANAGER, "Subject"), (SUBSCRIBER, "Purpose"), (SUBSCRIBER, "Badge"), (SUBSCRIBER, "Language")):
        with pytest.raises(AnswersApproved):
            answer(house, request_id, by, **{item: value})
    with pytest.raises(AnswersApproved):
        answer(house, request_id, MANAGER, Note="open, and of those whom the approver speaks for")
    kept = {"Subject": "CN=Sam", "Purpose": "reading mail", "Badge": "12", "Language": "en"}
    assert answer(house, request_id, SUBSCRIBER, Purpose="reading mail") == kept
    assert house.post(request_id, csr("s1"))[0].error is None


def test_between_two_approvals_answers_stay_too(house: House) -> None:
    request_id = ask_with_items(house, SUBSCRIBER, DataItem("Purpose", "reading mail"), approvals=2)
    answer(house, request_id, MANAGER, Subject="CN=Sam")
    approve(house, request_id, APPROVER)
    with pytest.raises(AnswersApproved):
        answer(house, request_id, MANAGER, Subject="CN=Chief Executive")
    approve_request(request_id, by=signed_in(AGENT), world=house.world, data=(DataItem("Note", "fine"),))
    with house.store.reading() as session:
        seen = session.requests.get(request_id)
        assert len(session.requests.list_standing_approvals(seen)) == 2


def test_what_the_subject_has_left_open_is_answered_after_the_approval_of_another_persons_request(house: House) -> None:
    request_id = ask_with_items(house, MANAGER, DataItem("Subject", "CN=Sam"))
    approve(house, request_id, APPROVER)
    assert answer(house, request_id, SUBSCRIBER, Purpose="reading mail", Badge="12")["Badge"] == "12"
    with pytest.raises(AnswersApproved):
        answer(house, request_id, SUBSCRIBER, Purpose="signing contracts")
    assert house.post(request_id, csr("s1"))[0].error is None


@pytest.mark.parametrize("item", ["Subject", "Purpose", "Badge", "Language"])
@pytest.mark.parametrize("is_removed", [False, True])
def test_an_approval_of_other_answers_than_the_request_has_does_not_count(house: House, item: str, is_removed: bool) -> None:
    given = [DataItem("Subject", "CN=Sam")]
    request_id = ask_with_items(house, MANAGER, *given)
    answer(house, request_id, SUBSCRIBER, Purpose="reading mail", Badge="12")
    approve(house, request_id, APPROVER)
    with house.store.writing() as session:
        # As it would be with an older row, and its mark, put back.
        request = session.requests.get_locked(request_id)
        kept = tuple(each for each in request.data if each.name != item)
        other = () if is_removed else (DataItem(item, "other", is_sensitive=item == "Badge"),)
        session.requests.answer(replace(request, data=(*kept, *other)))
    with pytest.raises((ApprovalsMissing, AccessDenied), match="0 of 1"):
        house.post(request_id, csr("s1"))
    with pytest.raises(ApprovalsMissing, match="0 of 1"):
        complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)


def test_an_answer_is_not_told_by_what_the_approval_keeps_of_it(house: House) -> None:
    first, second = (ask_with_items(house, MANAGER, DataItem("Subject", "CN=Sam")) for _ in range(2))
    for request_id in (first, second):
        answer(house, request_id, SUBSCRIBER, Purpose="reading mail", Badge="12")
        approve(house, request_id, APPROVER)
    with house.store.engines[0].connect() as connection:
        one, two = connection.execute(select(approvals.c.answers)).scalars()
    assert "Badge" in one
    assert not set(json.loads(one).values()) & set(json.loads(two).values())


# -- recovery for others ---------------------------------------------------------------------------------------------------


def hold_archived(house: House) -> ProfileId:
    house.save(replace(TWO, policies={RequestType.ENROLL: Policy(self_service=True), RequestType.RECOVER_ON_BEHALF: RECOVER}))
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.archive(profile_id, SECOND.common_name)
    return profile_id


def ask(house: House, profile_id: ProfileId) -> RequestId:
    wish = RequestWish(operation=Operation.RECOVER_ON_BEHALF, profile_id=profile_id)
    return create_request(wish, by=signed_in(MANAGER), world=house.world).id


def test_recovery_for_others_is_started_approved_and_executed_by_three_people(house: House) -> None:
    request_id = ask(house, hold_archived(house))
    with pytest.raises(AccessDenied, match="approves a request of his own"):
        approve(house, request_id, MANAGER)
    assert approve(house, request_id, AGENT) is RequestStatus.APPROVED
    for by, reason in ((MANAGER, "the one who started it"), (AGENT, "one who approved it")):
        with pytest.raises(AccessDenied, match=reason):
            house.post(request_id, by=by, pfx_password=PFX_PASSWORD)
        with pytest.raises(AccessDenied, match=reason):
            complete_request(request_id, by=signed_in(by), world=house.world)
        allowed = {each.act: each.is_allowed for each in explain_request(by.user.nt4_name, request_id, world=house.world)}
        assert allowed["execute this request"] is False
    (old,) = house.post(request_id, by=ADMINISTRATOR, pfx_password=PFX_PASSWORD)
    assert old.pfx is not None
    complete_request(request_id, by=signed_in(ADMINISTRATOR), world=house.world)


class LosingSafe(SoftwareKeySafe):
    """A safe during whose opening an approver is disabled."""

    def __init__(self, house: House) -> None:
        super().__init__(KEK)
        self._house = house

    def open_for_decryption(self, sealed: SealedKey) -> SoftwareDecryptionKey:
        switch(self._house, AGENT, enabled=False)
        return super().open_for_decryption(sealed)


def test_key_is_not_given_out_when_the_approval_is_lost_while_it_is_opened(house: House) -> None:
    request_id = ask(house, hold_archived(house))
    approve(house, request_id, AGENT)
    losing = replace(house.world, safe=LosingSafe(house))
    with pytest.raises(ApprovalsMissing, match="0 of 1"):
        house.post(request_id, by=ADMINISTRATOR, pfx_password=PFX_PASSWORD, world=losing)
    assert "key.recovered" not in [each.type.value for each in house.list_events(request_id)]


def test_recovery_waits_for_an_approval_under_a_policy_from_before_one_was_asked_for(house: House) -> None:
    profile_id = hold_archived(house)
    old = replace(RECOVER, approvals_needed=0)
    house.save(replace(TWO, policies={RequestType.ENROLL: Policy(self_service=True), RequestType.RECOVER_ON_BEHALF: old}))
    request_id = ask(house, profile_id)
    assert read_request(request_id, by=signed_in(MANAGER), world=house.world).request.status is RequestStatus.PENDING
    with pytest.raises(TransitionRefused):
        house.post(request_id, by=ADMINISTRATOR, pfx_password=PFX_PASSWORD)
    assert approve(house, request_id, APPROVER) is RequestStatus.APPROVED
    assert house.post(request_id, by=ADMINISTRATOR, pfx_password=PFX_PASSWORD)[0].pfx is not None


def test_recovery_that_was_approved_without_approval_before_is_not_executed(house: House) -> None:
    request_id = ask(house, hold_archived(house))
    with house.store.writing() as session:
        # As programs before this one have left it.
        request = session.requests.get(request_id)
        session.requests.change(replace(request, status=RequestStatus.APPROVED), from_status=RequestStatus.PENDING)
    for by in (ADMINISTRATOR, AGENT):
        with pytest.raises(ApprovalsMissing, match="0 of 1"):
            house.post(request_id, by=by, pfx_password=PFX_PASSWORD)
    with pytest.raises(ApprovalsMissing):
        export_archived_keys(request_id, operator="root", world=house.world)
