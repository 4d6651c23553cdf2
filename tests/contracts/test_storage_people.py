"""Accounts, departments, sessions and keys: who may come in, and that the door closes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from runtime.storage import accounts, departments, runs, sessions, snapshots, visitors, workflow_runs
from runtime.storage.database import Connection, Database, asking, read, write
from runtime.storage.process_tables import task as task_rows
from runtime.storage.product_tables import api_key, session
from runtime.storage.sessions import ApiKey, Session
from runtime.storage.sign_in import Passwords, sign_in
from tests.contracts.storage_contract import AT

HOUR = timedelta(hours=1)
PASSWORDS = Passwords(fast=True)


@pytest.fixture
def people(empty: Database) -> dict[str, int]:
    """A small company: head office over purchasing; 王 buys, 李 heads purchasing, 赵 left."""
    with write(empty) as connection:
        office = departments.create_department(connection, "总部")
        buying = departments.create_department(connection, "采购部", parent=office)
        team = departments.create_department(connection, "采购一组", parent=buying)
        found = {"office": office, "buying": buying, "team": team}
        for login, name, place in (
            ("wang", "王", team),
            ("li", "李", buying),
            ("zhao", "赵", team),
            ("wang2", "王", None),
        ):
            found[login] = accounts.create_user(
                connection, login=login, name=name, password_hash=PASSWORDS.hash(f"{login}-Secret1"), at=AT,
                department=place, attributes={"warehouse": 5} if login == "wang" else None,
            )  # fmt: skip
        departments.update_department(connection, buying, "采购部", office, found["li"])
        accounts.set_roles(connection, found["wang"], "tiny", ["keeper", "buyer"])
        accounts.set_roles(connection, found["zhao"], "tiny", ["keeper"])
        accounts.set_roles(connection, found["li"], "other", ["keeper"])
        accounts.update_user(connection, found["zhao"], active=False)
    return found


def test_an_actor_knows_roles_departments_and_attributes(empty: Database, people: dict[str, int]):
    with read(empty) as connection:
        wang = accounts.actor_of(connection, people["wang"], "tiny")
        li = accounts.actor_of(connection, people["li"], "tiny")
        assert accounts.actor_of(connection, people["zhao"], "tiny") is None
        assert accounts.actor_of(connection, 10**9, "tiny") is None
        rows = accounts.people_rows(connection, [people["wang"], people["li"]])
    assert (wang.name, wang.roles, wang.department, dict(wang.attributes)) == (
        "王", frozenset({"keeper", "buyer"}), people["team"], {"warehouse": 5},
    )  # fmt: skip
    assert li.roles == frozenset() and li.departments == frozenset({people["buying"], people["team"]})
    assert dict(rows[people["wang"]].values) == {"name": "王", "department": people["team"], "warehouse": 5}
    assert rows[people["li"]].values["warehouse"] is None


def test_people_are_found_and_named(empty: Database, people: dict[str, int]):
    with read(empty) as connection:
        assert accounts.holders(connection, "tiny", ["keeper", "boss"]) == {"boss": (), "keeper": (people["wang"],)}
        assert accounts.find_people(connection, "member", ["wang", "李", "王", "赵", "?"]) == {
            "wang": people["wang"],
            "李": people["li"],
        }
        assert accounts.find_people(connection, "department", ["采购部", "?"]) == {"采购部": people["buying"]}
        assert accounts.user_names(connection, [people["li"], 10**9]) == {people["li"]: "李"}
        assert accounts.department_names(connection, [people["team"]]) == {people["team"]: "采购一组"}
        assert [each.login for each in accounts.users(connection, active_only=True)] == ["wang", "li", "wang2"]


def test_the_head_is_looked_for_upwards(empty: Database, people: dict[str, int]):
    with read(empty) as connection:
        assert accounts.department_head(connection, people["team"]) == people["li"]
        assert accounts.department_head(connection, people["office"]) is None
        assert accounts.department_head(connection, None) is None


def test_a_department_does_not_lie_below_itself(empty: Database, people: dict[str, int]):
    with pytest.raises(Refused, match=r"storage\.department_cycle"), write(empty) as connection:
        departments.update_department(connection, people["office"], "总部", people["team"], None)


def test_a_login_is_taken_once(empty: Database, people: dict[str, int]):
    with pytest.raises(Refused, match=r"storage\.duplicate_login"), write(empty) as connection:
        accounts.create_user(connection, login="li", name="李二", password_hash="", at=AT)
    with pytest.raises(Refused, match=r"storage\.duplicate_login"), write(empty) as connection:
        accounts.update_user(connection, people["wang"], login="li")
    with pytest.raises(ValueError, match="password_hash"), write(empty) as connection:
        accounts.update_user(connection, people["wang"], password_hash="x")


def test_signing_in(empty: Database, people: dict[str, int]):
    assert sign_in(empty, PASSWORDS, "li", "li-Secret1", AT).id == people["li"]
    for login, password in (("li", "wrong"), ("nobody", "li-Secret1"), ("zhao", "zhao-Secret1"), ("LI", "li-Secret1")):
        with pytest.raises(Refused, match=r"storage\.sign_in_failed"):
            sign_in(empty, PASSWORDS, login, password, AT)


def test_repeated_failures_lock_for_a_while_that_grows(empty: Database, people: dict[str, int]):
    for _ in range(5):
        with pytest.raises(Refused, match=r"storage\.sign_in_failed"):
            sign_in(empty, PASSWORDS, "li", "wrong", AT)
    with pytest.raises(Refused, match=r"storage\.sign_in_locked") as refused:
        sign_in(empty, PASSWORDS, "li", "li-Secret1", AT)
    assert refused.value.problems[0].params["until"] == AT + timedelta(minutes=1)
    later = AT + timedelta(minutes=1)
    with pytest.raises(Refused, match=r"storage\.sign_in_failed"):
        sign_in(empty, PASSWORDS, "li", "wrong", later)
    with pytest.raises(Refused, match=r"storage\.sign_in_locked") as refused:
        sign_in(empty, PASSWORDS, "li", "li-Secret1", later)
    assert refused.value.problems[0].params["until"] == later + timedelta(minutes=2)
    assert sign_in(empty, PASSWORDS, "li", "li-Secret1", later + timedelta(minutes=2)).id == people["li"]
    with read(empty) as connection:
        assert accounts.user_by_login(connection, "li").failed_count == 0


def session_of(connection: Connection, token: str, at: datetime) -> Session | None:
    found = visitors.by_session(connection, token, at)
    return None if found is None else found.by


def key_of(connection: Connection, token: str) -> ApiKey | None:
    found = visitors.by_key(connection, token)
    return None if found is None else found.by


def test_a_visitor_is_the_actor_of_the_app_published_last(empty: Database, people: dict[str, int]):
    with write(empty) as connection:
        token, _ = sessions.start(connection, people["wang"], AT, HOUR)
        key, _ = sessions.create_key(connection, people["wang"], "扫码枪", AT)
        before = visitors.by_key(connection, key)
        assert before is not None and (before.snapshot, before.actor.roles) == (None, frozenset())
        snapshots.set_current(connection, "other", "a" * 64, AT)
        snapshots.set_current(connection, "tiny", "b" * 64, AT + HOUR)
        wang = accounts.actor_of(connection, people["wang"], "tiny")
    with asking(empty) as connection:
        by_session, by_key = visitors.by_session(connection, token, AT), visitors.by_key(connection, key)
    assert by_session is not None and by_key is not None
    assert by_session.actor == by_key.actor == wang
    assert (by_session.snapshot, by_key.snapshot, by_key.theme) == ("b" * 64, "b" * 64, "auto")


def test_a_session_lasts_while_it_is_used(empty: Database, people: dict[str, int]):
    with write(empty) as connection:
        token, made = sessions.start(connection, people["li"], AT, HOUR)
        assert connection.execute(session.select().where(session.c.token_hash == token)).all() == []
        assert session_of(connection, token, AT + HOUR - timedelta(seconds=1)) == made
        assert session_of(connection, token, AT + HOUR) is None
        assert session_of(connection, token + "x", AT) is None
        assert not sessions.needs_touch(made, AT + timedelta(seconds=59))
        assert sessions.needs_touch(made, AT + timedelta(seconds=60))
        sessions.touch(connection, made, AT + timedelta(minutes=30), HOUR)
        assert session_of(connection, token, AT + HOUR) is not None
        sessions.end(connection, token)
        assert session_of(connection, token, AT) is None


def test_a_new_password_ends_sessions_and_a_closed_account_its_keys(empty: Database, people: dict[str, int]):
    with write(empty) as connection:
        mine, _ = sessions.start(connection, people["li"], AT, HOUR)
        others, _ = sessions.start(connection, people["wang"], AT, HOUR)
        accounts.set_password(connection, people["li"], PASSWORDS.hash("new"))
        assert session_of(connection, mine, AT) is None and session_of(connection, others, AT) is not None
        key, _ = sessions.create_key(connection, people["wang"], "扫码枪", AT)
        accounts.update_user(connection, people["wang"], active=False)
        assert session_of(connection, others, AT) is None and key_of(connection, key) is None
    assert sign_in(empty, PASSWORDS, "li", "new", AT).id == people["li"]


def test_expired_sessions_are_forgotten(empty: Database, people: dict[str, int]):
    with write(empty) as connection:
        sessions.start(connection, people["li"], AT - 2 * HOUR, HOUR)
        sessions.start(connection, people["li"], AT, HOUR)
        assert sessions.remove_expired(connection, AT) == 1
        assert sessions.end_of_user(connection, people["li"]) == 1


def test_a_key_opens_until_it_is_revoked_and_is_kept_as_a_digest(empty: Database, people: dict[str, int]):
    with write(empty) as connection:
        key, number = sessions.create_key(connection, people["li"], "接口", AT)
        found = key_of(connection, key)
        assert found is not None and (found.id, found.user) == (number, people["li"])
        assert sessions.needs_note(found, AT)
        sessions.note_key_used(connection, number, AT + HOUR)
        found = key_of(connection, key)
        assert found is not None and not sessions.needs_note(found, AT + HOUR + sessions.TOUCH_EVERY / 2)
        (shown,) = sessions.keys_of(connection, people["li"])
        assert (shown.label, shown.last_used_at, key.startswith(shown.prefix)) == ("接口", AT + HOUR, True)
        assert key not in str(connection.execute(api_key.select()).all())
        assert not sessions.revoke_key(connection, people["wang"], number, AT)
        assert sessions.revoke_key(connection, people["li"], number, AT)
        assert key_of(connection, key) is None


def test_real_hashes_are_argon2id_and_salted():
    passwords = Passwords()
    first, second = passwords.hash("一个密码"), passwords.hash("一个密码")
    assert first.startswith("$argon2id$") and first != second
    assert passwords.agrees(first, "一个密码") and not passwords.agrees(first, "另一个")
    assert passwords.outdated(PASSWORDS.hash("x")) and not passwords.outdated(first)
    assert not passwords.agrees("", "x")


def test_tasks_are_for_a_user_or_for_the_holders_of_a_role(empty: Database):
    from engine.labels import Label

    def task(**more: object) -> workflow_runs.Task:
        return workflow_runs.Task(kind="approval", title=Label("审批", "Approve"), created_at=AT, **more)

    with write(empty) as connection:
        started = runs.start_run(
            connection, form="order", document=1, workflow="w", snapshot="s", state={"node": "a"}, at=AT, user=2
        )
        run = started.id
        workflow_runs.create_tasks(
            connection,
            [
                task(user=2, form="order", document=1, run=run, node="a"),
                task(role="boss", form="order", document=1, run=run, node="a"),
                task(role="keeper", once_key="low:5"),
            ],
        )
        assert [each.role for each in workflow_runs.open_tasks_of(connection, 2, ["boss"])] == ["boss", None]
        assert workflow_runs.count_open_tasks(connection, 3, ["boss", "keeper"]) == 2
        assert [each.node for each in workflow_runs.open_tasks_on(connection, "order", 1)] == ["a", "a"]
        assert workflow_runs.close_tasks(connection, at=AT, by=2, outcome="approve", run=run, node="a") == 2
        assert workflow_runs.open_tasks_of(connection, 2, ["boss"]) == ()
        (low,) = workflow_runs.open_tasks_once(connection, "low:5")
        assert workflow_runs.close_tasks(connection, at=AT, by=None, outcome="recovered", once_key="low:5") == 1
        kept = sa.select(task_rows.c.outcome, task_rows.c.done_at, task_rows.c.done_by).where(task_rows.c.id == low.id)
        assert tuple(connection.execute(kept).one()) == ("recovered", AT, None)
        with pytest.raises(ValueError, match="never meant"):
            workflow_runs.close_tasks(connection, at=AT, by=2, outcome="x")
        runs.save_run(connection, replace(started, state={"node": ""}, finished_at=AT, result="approved"))
        stored = runs.run_of(connection, "order", 1)
        assert (dict(stored.state), stored.result, stored.finished_at) == ({"node": ""}, "approved", AT)
        row = workflow_runs.LogRow(
            run=run, form="order", document=1, node="a", label=Label("主管", "Boss"), user=2, user_name="王",
            action="approve", at=AT,
        )  # fmt: skip
        workflow_runs.log(connection, [row])
        assert workflow_runs.log_of(connection, "order", 1) == (row,)
