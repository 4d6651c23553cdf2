"""A workspace is a database of its own: what happens in one is invisible in the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.definitions.compiled import AppBundle
from engine.problems import Refused
from runtime.publishing import publish
from runtime.settings import Settings
from runtime.storage import accounts, counters, documents, ids
from runtime.storage.app_tables import app_tables
from runtime.storage.database import read, write
from runtime.workspaces import Workspace, create_workspace, list_workspaces, open_workspace
from tests.contracts.storage_contract import AT, product


@pytest.fixture
def settings(database_kind: str, request: pytest.FixtureRequest, tmp_path) -> Settings:
    """An installation on SQLite or PostgreSQL."""
    plain = Settings(data_dir=tmp_path / "data")
    if database_kind == "sqlite":
        return plain
    return replace(plain, database_url=request.getfixturevalue("fresh_postgres_url"))


@pytest.fixture
def two(settings: Settings) -> Iterator[tuple[Workspace, Workspace]]:
    """Two workspaces of one installation."""
    made = create_workspace(settings, "east"), create_workspace(settings, "west")
    yield made
    for each in made:
        each.database.close()


def test_workspaces_are_made_listed_and_opened_again(settings: Settings):
    assert list_workspaces(settings) == ()
    made = create_workspace(settings, "east")
    create_workspace(settings, "west_2").database.close()
    assert list_workspaces(settings) == ("east", "west_2")
    assert made.files_dir.is_dir()
    with write(made.database) as connection:
        user = accounts.create_user(connection, login="li", name="李", password_hash="", at=AT)
    made.database.close()
    again = open_workspace(settings, "east")
    with read(again.database) as connection:
        assert accounts.user_by_login(connection, "li").id == user
    again.database.close()


def test_a_bad_or_taken_name_is_refused(settings: Settings):
    create_workspace(settings, "east").database.close()
    bad = dict.fromkeys(("", "East", "../x", "1st", "a" * 41, 'a"b'), "key")
    for key, code in {"east": "exists", **bad}.items():
        with pytest.raises(Refused, match=rf"storage\.workspace_{code}"):
            create_workspace(settings, key)
    assert list_workspaces(settings) == ("east",)


def test_an_unknown_workspace_is_missing(settings: Settings):
    create_workspace(settings, "east").database.close()
    with pytest.raises(Refused) as refused:
        open_workspace(settings, "eats")
    assert refused.value.kind == "missing" and refused.value.problems[0].params["suggestion"] == "east"


def test_nothing_crosses_from_one_workspace_to_the_other(two: tuple[Workspace, Workspace], tiny: AppBundle):
    east, west = two
    tables = app_tables(tiny)
    for workspace in two:
        publish(workspace.database, tiny, "张三", AT)
    with write(east.database) as connection:
        stored = documents.insert(connection, tables, product("A1", "甲"), "a1", AT)
        assert counters.next_values(connection, "order", "2026", 5) == 1
        last = list(ids.allocate(connection, 3))[-1]
    with write(west.database) as connection:
        assert documents.load(connection, tables, "product", stored.id) is None
        assert documents.find_ids(connection, tables, "product", "code", ["A1"]) == {}
        assert documents.look_up(connection, tables, "product", "a1") == []
        assert counters.next_values(connection, "order", "2026") == 1
        assert next(iter(ids.allocate(connection, 1))) < last
        documents.insert(connection, tables, product("A1", "乙"), "a1", AT)
    with read(east.database) as connection:
        assert [match.display for match in documents.look_up(connection, tables, "product", "a1")] == ["A1 甲"]


def test_both_workspaces_can_publish_different_apps(two: tuple[Workspace, Workspace], tiny: AppBundle):
    east, west = two
    publish(east.database, tiny, "张三", AT)
    with write(west.database) as connection, pytest.raises(Exception, match="t_product"):
        connection.exec_driver_sql("SELECT * FROM t_product")
