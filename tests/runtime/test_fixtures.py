"""The fixtures hand out empty databases that do not know each other."""

from __future__ import annotations

import pytest
import sqlalchemy as sa


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_database(database_url: str, database_kind: str, turn: int) -> None:
    engine = sa.create_engine(database_url)
    assert engine.dialect.name == {"sqlite": "sqlite", "postgres": "postgresql"}[database_kind]
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
        connection.execute(sa.text("CREATE TABLE t (n integer)"))
    # The pool keeps its connection: a database is dropped even while somebody is connected.
