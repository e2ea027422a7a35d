"""`ports.Directory`."""

from dataclasses import replace
from uuid import UUID

import pytest

from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.errors import DefinitionInvalid
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Group, GroupId, Sid, User, UserId
from worlds.contoso import ADMINISTRATORS, GRANTS, SUBSCRIBERS, make_user, sid


def make_group(number: int, *members: Sid, name: str = "") -> Group:
    return Group(id=GroupId(UUID(int=number)), sid=sid(number), name=name or f"Group {number}", members=frozenset(members))


def save(store: SqlStore, *things: User | Group) -> None:
    with store.writing() as session:
        for each in things:
            if isinstance(each, User):
                session.directory.save_user(each)
            else:
                session.directory.save_group(each)


def find_sids(store: SqlStore, user: User) -> frozenset[Sid]:
    with store.reading() as session:
        found = session.directory.find_principal(user.id)
        assert found is not None
        return found.sids


USER = replace(make_user("subscriber", 1101), display_name="Jürgen Ünlü", email="")


def test_a_user_comes_back_as_saved(store: SqlStore) -> None:
    save(store, USER)
    with store.reading() as session:
        found = session.directory.find_principal(USER.id)
        assert found is not None
        assert found.user == USER
        assert session.directory.list_users() == (USER,)


def test_a_user_saved_again_is_changed(store: SqlStore) -> None:
    save(store, USER)
    disabled = replace(USER, enabled=False, account_name="somebody")
    save(store, disabled)
    with store.reading() as session:
        assert session.directory.list_users() == (disabled,)
        assert session.directory.find_account("CORP", "subscriber") is None


@pytest.mark.parametrize(("domain", "name"), [("CORP", "subscriber"), ("corp", "SUBSCRIBER"), ("", "Subscriber")])
def test_an_account_is_found_in_any_case_and_without_a_domain(store: SqlStore, domain: str, name: str) -> None:
    save(store, USER)
    for _ in range(2):  # the second time from memory
        with store.reading() as session:
            found = session.directory.find_account(domain, name)
            assert found is not None
            assert found.user == USER


def test_letters_beyond_ascii_have_cases_too(store: SqlStore) -> None:
    umlaut = replace(USER, account_name="JÜRGEN", principal_name="JÜRGEN@corp.contoso.com")
    save(store, umlaut)
    with store.reading() as session:
        assert session.directory.find_account("CORP", "jürgen") is not None
        assert session.directory.find_principal_name("jürgen@CORP.contoso.com") is not None


def test_an_account_of_two_domains_is_nobodys_without_its_domain(store: SqlStore) -> None:
    other = replace(make_user("subscriber", 1199), domain="OTHER", principal_name="subscriber@other.contoso.com")
    save(store, USER, other)
    with store.reading() as session:
        assert session.directory.find_account("", "subscriber") is None
        found = session.directory.find_account("other", "subscriber")
        assert found is not None
        assert found.user == other


def test_a_principal_name_is_found_in_any_case(store: SqlStore) -> None:
    save(store, USER)
    with store.reading() as session:
        found = session.directory.find_principal_name("SUBSCRIBER@corp.contoso.COM")
        assert found is not None
        assert found.user == USER


def test_who_is_not_there_is_not_found(store: SqlStore) -> None:
    save(store, replace(USER, principal_name=""))
    with store.reading() as session:
        assert session.directory.find_principal(UserId(UUID(int=1))) is None
        assert session.directory.find_account("OTHER", "subscriber") is None
        assert session.directory.find_account("CORP", "nobody") is None
        assert session.directory.find_principal_name("") is None
        assert session.directory.find_password_hash(USER.id) is None


def test_two_users_may_be_without_a_principal_name(store: SqlStore) -> None:
    save(store, replace(USER, principal_name=""), replace(make_user("other", 1102), principal_name=""))
    with store.reading() as session:
        assert len(session.directory.list_users()) == 2


@pytest.mark.parametrize(
    "clashing",
    [
        replace(make_user("other", 1102), sid=USER.sid),
        replace(make_user("other", 1102), account_name="SUBSCRIBER"),
        replace(make_user("other", 1102), principal_name="Subscriber@corp.contoso.com"),
    ],
)
def test_a_user_with_somebody_elses_name_or_sid_is_refused(store: SqlStore, clashing: User) -> None:
    save(store, USER)
    with pytest.raises(DefinitionInvalid, match=r"CORP\\subscriber"):
        save(store, clashing)


def test_a_group_with_anothers_sid_is_refused(store: SqlStore) -> None:
    save(store, make_group(2001))
    with pytest.raises(DefinitionInvalid, match="Group 2001"):
        save(store, replace(make_group(2002), sid=sid(2001)))


def test_a_principal_is_himself_everyone_and_all_groups_above_him(store: SqlStore) -> None:
    save(store, USER, make_group(2001, USER.sid), make_group(2002, sid(2001)), make_group(2003, sid(2002), USER.sid))
    save(store, make_group(2004, sid(9999)))
    assert find_sids(store, USER) == {USER.sid, EVERYONE, sid(2001), sid(2002), sid(2003)}


def test_a_ring_of_groups_ends(store: SqlStore) -> None:
    save(
        store, USER, make_group(2001, USER.sid, sid(2003)), make_group(2002, sid(2001)), make_group(2003, sid(2002), sid(2003))
    )
    assert find_sids(store, USER) == {USER.sid, EVERYONE, sid(2001), sid(2002), sid(2003)}


def test_a_group_names_everybody_in_it_through_other_groups_and_rings(store: SqlStore) -> None:
    others = [make_user(name, number) for name, number in (("zoe", 1102), ("Adam", 1103), ("outsider", 1104))]
    ring = [make_group(3001, others[0].sid, sid(3002)), make_group(3002, others[1].sid, sid(3003)), make_group(3003, sid(3001))]
    save(store, USER, *others, *ring)
    with store.reading() as session:
        names = [[each.account_name for each in session.directory.list_members(sid(number))] for number in (3001, 3002, 3003)]
        assert names == [["Adam", "zoe"]] * 3
        assert session.directory.list_members(USER.sid) == (USER,)
        assert [each.account_name for each in session.directory.list_some_members(sid(3001), 2)] == ["Adam", "zoe"]
        assert len(session.directory.list_some_members(sid(3001), 1)) == 1
        assert session.directory.list_members(EVERYONE) == session.directory.list_members(sid(4711)) == ()


def test_a_group_saved_again_has_exactly_its_new_members(store: SqlStore) -> None:
    save(store, USER, make_group(2001, USER.sid, sid(7)))
    assert sid(2001) in find_sids(store, USER)
    save(store, make_group(2001, sid(8), name="Renamed"))
    assert sid(2001) not in find_sids(store, USER)
    with store.reading() as session:
        assert session.directory.list_groups() == (make_group(2001, sid(8), name="Renamed"),)


def test_users_and_groups_are_listed_by_name_whatever_the_case(store: SqlStore) -> None:
    names = ["bob", "Alice", "äbel", "Carol"]
    save(store, *(make_user(name, 1200 + number) for number, name in enumerate(names)))
    save(store, *(make_group(2100 + number, name=name) for number, name in enumerate(names)))
    with store.reading() as session:
        assert [each.account_name for each in session.directory.list_users()] == ["Alice", "bob", "Carol", "äbel"]
        assert [each.name for each in session.directory.list_groups()] == ["Alice", "bob", "Carol", "äbel"]


def test_grants_are_exactly_the_ones_that_replaced_the_others(store: SqlStore) -> None:
    first = Grant(ObjectKind.SERVICE, "", Right.AUDIT, SUBSCRIBERS)
    with store.writing() as session:
        session.directory.replace_grants([first, first])
    with store.writing() as session:
        session.directory.replace_grants(GRANTS)
    with store.reading() as session:
        found = session.directory.load_grants()
    assert not found.find_trustees(ObjectKind.SERVICE, "", Right.AUDIT)
    assert found.find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER) == {ADMINISTRATORS}
    for each in GRANTS:
        assert each.trustee in found.find_trustees(each.object_kind, each.object_name, each.right)


def test_a_password_hash_replaces_the_one_before(store: SqlStore) -> None:
    save(store, USER)
    for each in ("first", "second"):
        with store.writing() as session:
            session.directory.save_password_hash(USER.id, each)
    with store.reading() as session:
        assert session.directory.find_password_hash(USER.id) == "second"


def test_the_revision_grows_with_every_change_and_with_nothing_else(store: SqlStore) -> None:
    def change_user(session) -> None:
        session.directory.save_user(USER)

    def change_group(session) -> None:
        session.directory.save_group(make_group(2001))

    def change_grants(session) -> None:
        session.directory.replace_grants(())

    def change_password(session) -> None:
        session.directory.save_password_hash(USER.id, "hash")

    with store.reading() as session:
        last = session.directory.revision()
    for change in (change_user, change_user, change_group, change_grants, change_password):
        with store.writing() as session:
            change(session)
            inside = session.directory.revision()
        with store.reading() as session:
            assert session.directory.revision() == inside > last
            last = inside
    with store.writing() as session:
        session.history.append(())
    with store.reading() as session:
        assert session.directory.revision() == last


def test_a_session_sees_its_own_changes(store: SqlStore) -> None:
    save(store, USER)
    with store.writing() as session:
        before = session.directory.find_principal(USER.id)
        session.directory.save_group(make_group(2001, USER.sid))
        after = session.directory.find_principal(USER.id)
    assert before is not None
    assert after is not None
    assert after.sids - before.sids == {sid(2001)}


def test_changes_that_were_taken_back_are_not_remembered(store: SqlStore) -> None:
    save(store, USER)

    def fail() -> None:
        with store.writing() as session:
            session.directory.save_user(replace(USER, display_name="Never"))
            session.directory.replace_grants(GRANTS)
            assert session.directory.find_principal(USER.id) is not None
            session.directory.load_grants()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    # The same number as that of the change that was taken back, for another change.
    save(store, make_group(2001))
    save(store, make_group(2002))
    with store.reading() as session:
        found = session.directory.find_principal(USER.id)
        assert found is not None
        assert found.user == USER
        assert not session.directory.load_grants().find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER)


def test_a_change_by_another_program_counts_at_once(store: SqlStore, url: str) -> None:
    save(store, USER)
    find_sids(store, USER)
    other = open_store(url)
    try:
        save(other, make_group(2001, USER.sid))
        assert sid(2001) in find_sids(store, USER)
        with other.writing() as session:
            session.directory.replace_grants(GRANTS)
        with store.reading() as session:
            assert session.directory.load_grants().find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER)
    finally:
        other.close()


def test_a_view_that_is_older_than_a_change_goes_on_with_what_it_saw(store: SqlStore) -> None:
    save(store, USER)
    with store.reading() as session:
        assert session.directory.revision()
        save(store, replace(USER, display_name="Later"))
        with store.reading() as later:
            new = later.directory.find_principal(USER.id)
        old = session.directory.find_principal(USER.id)
    assert old is not None
    assert new is not None
    assert (old.user.display_name, new.user.display_name) == (USER.display_name, "Later")
    assert find_sids(store, USER)
    with store.reading() as session:
        found = session.directory.find_principal(USER.id)
        assert found is not None
        assert found.user.display_name == "Later"


# -- one at a time, however many there are -----------------------------------------------------------------------------------


def test_a_group_is_found_by_its_name_in_any_case_and_without_its_members(store: SqlStore) -> None:
    group = make_group(2001, USER.sid, name="Büro Süd")
    save(store, USER, group)
    with store.reading() as session:
        found = session.directory.find_group("BÜRO süd")
        assert found is not None
        assert (found.id, found.sid, found.name) == (group.id, group.sid, group.name)
        assert session.directory.find_group("Büro") is None


def test_a_member_comes_and_goes_alone(store: SqlStore) -> None:
    group = make_group(2001, sid(1))
    save(store, USER, group)
    with store.writing() as session:
        assert session.directory.add_member(group.id, USER.sid)
        assert not session.directory.add_member(group.id, USER.sid)
        assert group.sid in session.directory.list_sids_above(USER.sid)
    assert group.sid in find_sids(store, USER)
    with store.writing() as session:
        assert session.directory.remove_member(group.id, USER.sid)
        assert not session.directory.remove_member(group.id, USER.sid)
    assert group.sid not in find_sids(store, USER)
    with store.reading() as session:
        assert session.directory.list_groups() == (group,)


def test_the_sids_above_go_through_groups_and_rings(store: SqlStore) -> None:
    save(store, make_group(1, USER.sid), make_group(2, sid(1), sid(3)), make_group(3, sid(2)), make_group(4))
    with store.reading() as session:
        assert session.directory.list_sids_above(USER.sid) == {USER.sid, sid(1), sid(2), sid(3)}


def test_sids_have_names_as_far_as_they_are_somebodys(store: SqlStore) -> None:
    group = make_group(2001)
    save(store, USER, group)
    with store.reading() as session:
        named = session.directory.name_sids([USER.sid, group.sid, sid(7)])
    assert named == {USER.sid: "CORP\\subscriber", group.sid: group.name}


def test_a_right_comes_and_goes_alone(store: SqlStore) -> None:
    first, second = GRANTS[:2]
    with store.writing() as session:
        assert session.directory.add_grant(first)
        assert not session.directory.add_grant(first)
        assert session.directory.add_grant(second)
        assert set(session.directory.load_grants()) == {first, second}
    with store.writing() as session:
        assert session.directory.remove_grant(first)
        assert not session.directory.remove_grant(first)
    with store.reading() as session:
        assert set(session.directory.load_grants()) == {second}


def test_rights_are_found_by_what_they_are_on_and_by_who_holds_them(store: SqlStore) -> None:
    with store.writing() as session:
        session.directory.replace_grants(GRANTS)
    wanted = GRANTS[0]
    with store.reading() as session:
        on = session.directory.list_grants_on(wanted.object_kind, wanted.object_name)
        of = session.directory.list_grants_of([wanted.trustee, sid(7)])
    assert set(on) == {
        each for each in GRANTS if (each.object_kind, each.object_name) == (wanted.object_kind, wanted.object_name)
    }
    assert set(of) == {each for each in GRANTS if each.trustee == wanted.trustee}


def test_rights_are_remembered_while_people_change_and_read_again_when_rights_do(store: SqlStore) -> None:
    with store.writing() as session:
        session.directory.replace_grants(GRANTS[:1])
    with store.reading() as session:
        before = session.directory.load_grants()
    save(store, USER)
    with store.reading() as session:
        assert session.directory.load_grants() is before
    with store.writing() as session:
        session.directory.add_grant(GRANTS[1])
    with store.reading() as session:
        assert set(session.directory.load_grants()) == set(GRANTS[:2])


def test_a_deleted_group_and_its_memberships_are_gone_and_nothing_else(store: SqlStore) -> None:
    user, others = make_user("member", 1), make_group(12, sid(1), name="Others")
    save(store, user, make_group(11, sid(1), sid(12), name="Gone"), others)
    with store.writing() as session:
        before = session.directory.revision()
        group = session.directory.find_group("gone")
        assert group is not None
        session.directory.delete_group(group)
    with store.reading() as session:
        assert session.directory.revision() > before
        assert session.directory.find_group("Gone") is None
        assert session.directory.list_groups() == (others,)
        assert session.directory.list_users() == (user,)
        assert sid(11) not in session.directory.list_sids_above(sid(1))
        assert session.state.prove().faults == ()


def test_the_groups_that_hold_somebody_themselves_are_listed_by_name(store: SqlStore) -> None:
    save(
        store, make_group(11, sid(1), name="beta"), make_group(12, sid(1), name="Alpha"), make_group(13, sid(11), name="Above")
    )
    with store.reading() as session:
        assert session.directory.list_groups_of(sid(1)) == ("Alpha", "beta")
        assert session.directory.list_groups_of(sid(13)) == ()


def test_names_are_listed_from_one_on_and_not_more_than_wanted(store: SqlStore) -> None:
    save(store, *(make_user(name, number) for number, name in enumerate(("anna", "Bert", "carl", "dora"), 1)))
    save(store, make_group(11, name="Boards"), make_group(12, name="Audit"))
    with store.reading() as session:
        names = [each.rpartition("\\")[2] for each in session.directory.list_names_from("B", 2)]
        assert names == ["Bert", "carl", "Boards"]
        assert len(session.directory.list_names_from("", 100)) == 6
