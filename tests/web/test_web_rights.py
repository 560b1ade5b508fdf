"""What visitors may read, as GitLab has it: asked with their own tokens, many at once, remembered for a minute."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from bot.domain import AccessLevel, UnreachableError
from bot.sandbox import acts, seed
from bot.sandbox.state import Issue, MergeRequest
from bot.store import conversations
from bot.store.conversations import Conversation
from bot.web.door.rights import Rights
from bot.web.door.tokens import Visitor, Visitors
from tests.web.house import House, open_house
from tests.world.conversations import open_conversation


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database, tmp_path) as opened:
        yield opened


def visitor(house: House, name: str) -> Visitor:
    with house.sandbox.world.lock:
        token = seed.add_token(house.sandbox.world, house.people[name], "read_api")
    return visitors(house).with_token(token.value)


def visitors(house: House) -> Visitors:
    found = house.app.behind.state.door.visitors
    assert isinstance(found, Visitors)
    return found


def rights(house: House) -> Rights:
    found = house.app.behind.state.door.rights
    assert isinstance(found, Rights)
    return found


def issue(house: House, *, by: str = "mia", confidential: bool = False) -> Issue:
    with house.sandbox.world.lock:
        return acts.open_issue(
            house.sandbox.world, house.project, house.people[by], "CI", "", is_confidential=confidential
        )


def draft(house: House, iid: int = 1) -> MergeRequest:
    with house.sandbox.world.lock:
        made = MergeRequest(house.sandbox.world.next_id(), iid, house.project, house.people["max"], "Draft: CI", "")
        house.project.merge_requests.append(made)
    return made


def conversation(house: House, of: Issue | MergeRequest, *, confidential: bool = False) -> Conversation:
    with house.pool.connection() as connection:
        id_ = open_conversation(
            connection,
            project_id=house.project.id,
            project_path=house.project.path,
            kind=of.kind,
            iid=of.iid,
            title="CI",
            is_confidential=confidential,
            asked_by="mia",
        )
    return stored(house, id_)


def own(house: House, name: str) -> Conversation:
    with house.pool.connection() as connection:
        id_ = conversations.open_for_person(
            connection,
            project_id=house.project.id,
            project_path=house.project.path,
            title="CI",
            owner_id=house.people[name].id,
            asked_by=name,
        )
    return stored(house, id_)


def stored(house: House, id_: UUID) -> Conversation:
    with house.pool.connection() as connection:
        found = conversations.get(connection, id_)
    assert found is not None
    return found


def readers(house: House, talk: Conversation) -> set[str]:
    return {name for name in house.people if rights(house).may_read(visitor(house, name), talk)}


def test_an_issue_of_a_private_project_is_for_its_members(house: House) -> None:
    assert readers(house, conversation(house, issue(house))) == {"max", "mia", "rob", "gina"}


def test_a_draft_of_a_private_project_is_not_for_guests(house: House) -> None:
    """GitLab shows guests neither the merge requests nor the files of private projects."""
    talk = conversation(house, issue(house))
    draft(house)
    with house.pool.connection() as connection:
        conversations.add_noteable(connection, talk.id, house.project.id, "merge_request", 1)
    assert readers(house, talk) == {"max", "mia", "rob"}


@pytest.mark.parametrize("visibility", ["internal", "public"])
def test_an_open_project_is_for_everybody(house: House, visibility: str) -> None:
    house.project.visibility = visibility
    assert readers(house, conversation(house, draft(house))) == set(house.people)


def test_external_accounts_see_no_internal_project(house: House) -> None:
    house.project.visibility, house.people["sam"].is_external = "internal", True
    assert "sam" not in readers(house, conversation(house, issue(house)))


def test_confidential_talk_is_for_those_who_read_internal_notes(house: House) -> None:
    """Its author reads a confidential issue in any role, but not the bot's internal answers on it."""
    of = issue(house, by="gina", confidential=True)
    assert readers(house, conversation(house, of, confidential=True)) == {"max", "mia", "rob"}


def test_an_internal_note_on_an_open_issue_makes_its_talk_confidential(house: House) -> None:
    house.project.visibility = "public"
    assert readers(house, conversation(house, issue(house), confidential=True)) == {"max", "mia", "rob"}


def test_administrators_read_what_gitlab_shows_them(house: House) -> None:
    house.people["sam"].is_admin = True
    talk = conversation(house, issue(house, confidential=True), confidential=True)
    assert readers(house, talk) == {"max", "mia", "rob", "sam"}
    assert rights(house).role(visitor(house, "sam"), house.project.id) is AccessLevel.NONE


def test_an_administrator_whose_token_is_no_administrators_reads_like_anybody(house: House) -> None:
    """That is GitLab's admin mode: the token needs the scope `admin_mode`."""
    house.people["sam"].is_admin, house.project.visibility = True, "public"
    house.sandbox.fail("GET", "/application/settings", 403)
    sam = visitor(house, "sam")
    assert (sam.is_admin, sam.sees_all) == (True, False)
    assert not rights(house).may_read(sam, conversation(house, issue(house), confidential=True))


def test_what_was_begun_over_the_api_is_its_owners(house: House) -> None:
    assert readers(house, own(house, "rob")) == {"rob"}


def test_an_owner_who_left_the_project_reads_it_no_more(house: House) -> None:
    talk = own(house, "rob")
    del house.project.members[house.people["rob"].id]
    assert readers(house, talk) == set()


def test_a_deleted_issue_takes_its_talk_with_it(house: House) -> None:
    talk = conversation(house, issue(house))
    house.project.issues.clear()
    assert readers(house, talk) == set()


def test_a_moved_project_is_still_found(house: House) -> None:
    talk = conversation(house, issue(house))
    house.project.path = "elsewhere/app"
    assert "mia" in readers(house, talk)


def test_many_are_asked_about_in_few_calls_and_once_a_minute(house: House) -> None:
    talks = [conversation(house, issue(house)) for _ in range(70)]
    mia = visitor(house, "mia")
    house.sandbox.calls.clear()
    assert rights(house).readable(mia, talks) == {talk.id for talk in talks}
    assert house.sandbox.calls == ["POST /api/graphql"] * 4, "the project, and three times thirty issues"
    assert rights(house).readable(mia, talks) == {talk.id for talk in talks}
    assert len(house.sandbox.calls) == 4


def test_a_member_who_left_is_noticed_within_a_minute(house: House) -> None:
    talk, rob = conversation(house, issue(house)), visitor(house, "rob")
    assert rights(house).may_read(rob, talk)
    del house.project.members[house.people["rob"].id]
    assert rights(house).may_read(rob, talk)
    house.pass_time(60)
    assert not rights(house).may_read(rob, talk)


def test_what_becomes_confidential_is_asked_anew_at_once(house: House) -> None:
    of = issue(house)
    gina = visitor(house, "gina")
    assert rights(house).may_read(gina, conversation(house, of))
    assert not rights(house).may_read(gina, conversation(house, of, confidential=True))


def test_a_role_is_remembered_for_a_minute(house: House) -> None:
    rob = visitor(house, "rob")
    assert rights(house).role(rob, house.project.id) is AccessLevel.REPORTER
    house.project.members[house.people["rob"].id] = 10
    assert rights(house).role(rob, house.project.id) is AccessLevel.REPORTER
    house.pass_time(60)
    assert rights(house).role(rob, house.project.id) is AccessLevel.GUEST


def test_seen_projects_are_those_gitlab_shows(house: House) -> None:
    mia = visitor(house, "mia")
    with house.sandbox.world.lock:
        other = seed.add_project(house.sandbox.world, "else/where", {}, {house.people["sam"]: 40})
    asked = [house.project.id, other.id, 4711]
    assert rights(house).seen_projects(mia, asked) == {house.project.id}
    assert rights(house).seen_projects(visitor(house, "sam"), asked) == {other.id}
    assert rights(house).seen_projects(mia, []) == frozenset()


@pytest.mark.parametrize("answer", ['{"data":null}', '{"data":{},"errors":[{"message":"complex"}]}', "<html>"])
def test_no_answer_of_gitlab_shows_or_hides_anything(house: House, answer: str) -> None:
    talk, mia = conversation(house, issue(house)), visitor(house, "mia")
    assert rights(house).seen_projects(mia, [house.project.id])
    house.sandbox.fail("POST", "/api/graphql", 200, text=answer)
    with pytest.raises(UnreachableError):
        rights(house).may_read(mia, talk)
    assert rights(house).may_read(mia, talk)


def test_the_scopes_of_every_kind_of_token_are_known(house: House) -> None:
    with house.sandbox.world.lock:
        writes = seed.add_token(house.sandbox.world, house.people["mia"], "api").value
    house.signed_in("mia")
    of_application = house.last_token().value
    assert visitors(house).with_token(writes).may_change
    assert not visitor(house, "mia").may_change
    assert not visitors(house).with_token(of_application).may_change


def test_operators_are_named_by_the_administrator(database: str, tmp_path: Path) -> None:
    with open_house(database, tmp_path, OPERATORS="@Mia, 12345") as house:
        seen = {name: visitor(house, name) for name in ("mia", "max")}
        assert (seen["mia"].is_admin, seen["mia"].sees_all) == (True, False)
        assert (seen["max"].is_admin, seen["max"].sees_all) == (False, False)
