"""The directory of a workspace, and who stands in for whom: added, ended, handed over, refused when senseless."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from engine.workflow.directory import StandIn
from runtime.storage import accounts, departments, stand_ins
from runtime.storage.database import Database, read, write
from runtime.storage.directory import load_directory
from tests.contracts.storage_contract import AT

DAY = timedelta(days=1)
NAMES = ("ann", "bob", "cleo", "dan", "eve")


@pytest.fixture
def people(empty: Database) -> dict[str, int]:
    """Five accounts in two departments; eve has left, cleo heads the upper one and may administer."""
    with write(empty) as connection:
        office = departments.create_department(connection, "总部")
        team = departments.create_department(connection, "一组", parent=office)
        found = {"office": office, "team": team}
        for name in NAMES:
            found[name] = accounts.create_user(
                connection, login=name, name=name.title(), password_hash="x", at=AT, department=team
            )  # fmt: skip
        departments.update_department(connection, office, "总部", None, found["cleo"])
        accounts.set_roles(connection, found["cleo"], "tiny", ["admin", "keeper"])
        accounts.set_roles(connection, found["eve"], "tiny", ["admin"])
        accounts.set_roles(connection, found["bob"], "other", ["keeper"])
        accounts.update_user(connection, found["eve"], active=False)
    return found


def stand_in(
    people: dict[str, int], user: str, to: str, begins: datetime = AT, days: int = 3, form: str = ""
) -> StandIn:
    return StandIn(user=people[user], to_user=people[to], from_at=begins, until_at=begins + days * DAY, form=form)


def add(empty: Database, new: StandIn) -> int:
    with write(empty) as connection:
        return stand_ins.add_stand_in(connection, new, reason="leave", by=new.user, at=AT)


def refusal(empty: Database, new: StandIn) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        add(empty, new)
    return [(each.where, each.code) for each in refused.value.problems]


def test_the_directory_knows_everybody(empty: Database, people: dict[str, int]):
    number = add(empty, stand_in(people, "ann", "bob"))
    add(empty, stand_in(people, "bob", "cleo", begins=AT + DAY))
    with read(empty) as connection:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            statements.append(statement)

        sa.event.listen(connection, "before_cursor_execute", note)
        found = load_directory(connection, "tiny", AT)
        sa.event.remove(connection, "before_cursor_execute", note)
    assert len(statements) == 4
    assert {found.people[people[name]].name for name in NAMES} == {"Ann", "Bob", "Cleo", "Dan", "Eve"}
    assert not found.active(people["eve"])
    assert found.admins == (people["cleo"],)
    assert found.by_role == {"admin": (people["cleo"],), "keeper": (people["cleo"],)}
    assert [unit.head for unit in found.above(people["team"])] == [None, people["cleo"]]
    assert [each.id for each in found.stand_ins] == [number]
    assert found.stand_in(people["ann"], "order", AT) == people["bob"]


def test_a_stand_in_ends_by_time_or_by_hand(empty: Database, people: dict[str, int]):
    number = add(empty, stand_in(people, "ann", "bob"))
    with write(empty) as connection:
        assert [each.id for each in stand_ins.stand_ins_of(connection, people["bob"], since=AT)] == [number]
        assert stand_ins.stand_ins_of(connection, people["dan"]) == ()
        assert stand_ins.stand_ins_of(connection, since=AT + 3 * DAY) == ()
        assert stand_ins.end_stand_in(connection, number, AT + DAY)
        assert not stand_ins.end_stand_in(connection, number, AT + DAY)
        stored = stand_ins.stand_in_by_id(connection, number)
        assert stored is not None and not stored.holds(AT) and stored.ended_at == AT + DAY
        assert load_directory(connection, "tiny", AT).stand_ins == ()
    add(empty, stand_in(people, "ann", "dan"))  # the period is free again


def test_what_makes_no_sense_is_refused_with_every_reason(empty: Database, people: dict[str, int]):
    assert refusal(empty, stand_in(people, "ann", "ann", days=-1)) == [
        ("until_at", "stand_in.backwards"),
        ("to_user", "stand_in.oneself"),
    ]
    assert refusal(empty, stand_in(people, "ann", "eve", begins=AT - 9 * DAY)) == [
        ("until_at", "stand_in.over"),
        ("to_user", "stand_in.nobody"),
    ]
    add(empty, stand_in(people, "eve", "ann"))  # somebody who has left is stood in for
    assert refusal(empty, stand_in(people | {"nobody": 10**9}, "nobody", "ann")) == [("user", "stand_in.nobody")]


def test_two_at_once_and_circles_are_refused(empty: Database, people: dict[str, int]):
    add(empty, stand_in(people, "ann", "bob"))
    assert refusal(empty, stand_in(people, "ann", "cleo", begins=AT + 2 * DAY)) == [("from_at", "stand_in.at_once")]
    add(empty, stand_in(people, "ann", "cleo", begins=AT + 3 * DAY))
    add(empty, stand_in(people, "ann", "dan", form="order"))
    add(empty, stand_in(people, "bob", "cleo", begins=AT + DAY))
    assert refusal(empty, stand_in(people, "cleo", "ann", days=9)) == [("to_user", "stand_in.circle")]
    assert refusal(empty, stand_in(people, "dan", "ann", form="order")) == [("to_user", "stand_in.circle")]
    add(empty, stand_in(people, "dan", "ann", form="receipt"))  # another form, another path
    add(empty, stand_in(people, "cleo", "ann", days=1))  # not a day on which both hold


def test_what_a_leaver_did_for_others_is_handed_over(empty: Database, people: dict[str, int]):
    first = add(empty, stand_in(people, "ann", "bob", begins=AT - DAY))
    own = add(empty, stand_in(people, "cleo", "bob"))
    with write(empty) as connection:
        assert stand_ins.hand_over(connection, people["bob"], people["cleo"], by=people["dan"], at=AT + DAY) == 1
        found = load_directory(connection, "tiny", AT + DAY)
        ended = [stand_ins.stand_in_by_id(connection, number) for number in (first, own)]
    assert found.stand_in(people["ann"], "", AT + DAY) == people["cleo"]
    assert found.stand_in(people["cleo"], "", AT + DAY) is None
    assert [each is not None and each.ended_at for each in ended] == [AT + DAY, AT + DAY]
