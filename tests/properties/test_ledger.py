"""Any sequence of documents, dated anyhow and cancelled at any time, equals the oracle: both methods, both databases.

How many sequences: ``PYTEST_STOCKLOOM_SEQUENCES`` (per database and company; the suite runs a small number).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from engine.definitions.app import AppSettings
from engine.ledger import ledgers
from runtime.storage.database import Database, read, write
from runtime.storage.ledgers import fold
from tests.houses import migrated
from tests.properties.ledger_world import Act, World

SEQUENCES = int(os.environ.get("PYTEST_STOCKLOOM_SEQUENCES", "12"))
KINDS = (
    "receive", "receive", "issue", "issue", "gain", "transfer", "purchase_return", "sales_return", "landed", "adjust",
    "reverse",
)  # fmt: skip
COMPANIES = tuple(
    AppSettings(cost_method=method, cost_scope=scope, negative_stock=negative)  # type: ignore[arg-type]
    for method, scope, negative in product(("moving_average", "fifo"), ("company", "warehouse"), (False, True))
)
quantities = st.one_of(
    st.integers(1, 30).map(Decimal), st.decimals(min_value=Decimal("0.0001"), max_value=100, places=4)
)
acts = st.builds(
    Act,
    kind=st.sampled_from(KINDS),
    day=st.integers(0, 6),
    product=st.integers(1, 2),
    place=st.integers(1, 2),
    quantity=quantities,
    value=st.decimals(min_value=0, max_value=500, places=2),
    earlier=st.integers(0, 9),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A workspace without an app."""
    opened = migrated(database_url)
    yield opened
    opened.close()


def named(company: AppSettings) -> str:
    """Its switches in words."""
    return f"{company.cost_method}-{company.cost_scope}-{'negative' if company.negative_stock else 'strict'}"


@pytest.mark.parametrize(
    "company", COMPANIES, ids=lambda each: f"{each.cost_method}-{each.cost_scope}-{each.negative_stock}"
)
def test_books_equal_the_oracle(database: Database, company: AppSettings) -> None:
    """After any acts, every entry, pool, place and layer is what settling from the first on gives."""

    @settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(acts, min_size=1, max_size=14))
    def sequences(done: list[Act]) -> None:
        with write(database) as connection:
            world = World(connection, company)
            for act in done:
                note(f"{act} -> {world.do(act)}")
            world.check()

    sequences()
    with read(database) as connection:
        assert fold(connection, ledgers(company)) == ()
