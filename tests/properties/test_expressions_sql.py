"""A row filter admits the same rows as a predicate and as a ``WHERE``, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.expressions import Checked, Clock, EvaluationFailed, Kind, Path, Row, Scope, ValueType, evaluate
from engine.expressions.types import BOOLEAN, DATE, DATETIME, DEPARTMENT, MEMBER, NUMBER, TEXT
from engine.problems import Refused
from runtime.storage.column_types import JsonText, Scaled
from runtime.storage.filters import compilable, compile_where
from tests.properties.expression_world import checked

WAREHOUSE = ValueType(Kind.LINK, "warehouse")
FIELDS = MappingProxyType(
    {
        "qty": NUMBER, "price": NUMBER, "pieces": NUMBER, "name": TEXT, "code": TEXT,
        "status": ValueType(Kind.TEXT, choices=("draft", "approved")), "active": BOOLEAN, "checked": BOOLEAN,
        "biz_date": DATE, "due": DATE, "created_at": DATETIME,
        "customer": ValueType(Kind.LINK, "customer"), "warehouse": WAREHOUSE, "creator": MEMBER,
        "department": DEPARTMENT,
    }
)  # fmt: skip
SCOPE = Scope(
    names={**FIELDS, "me": MEMBER, "lines": ValueType(Kind.LINES, "lines"), "tags": ValueType(Kind.CHOICES)},
    records={
        "customer": {"credit_limit": NUMBER, "name": TEXT, "owner": MEMBER, "blocked": BOOLEAN, "since": DATE},
        "member": {"name": TEXT, "department": DEPARTMENT, "warehouse": WAREHOUSE, "limit": NUMBER, "boss": MEMBER},
        "lines": {"qty": NUMBER},
    },
)
ME = Row(2, {"name": "A", "department": 1, "warehouse": Row(3, {}), "limit": Decimal("1.5"), "boss": None})
CLOCK = Clock(date(2026, 2, 10), datetime(2026, 2, 10, 9, 15))

METADATA = sa.MetaData()
CUSTOMER = sa.Table(
    "customer", METADATA, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("credit_limit", Scaled(4)),
    sa.Column("name", sa.Text), sa.Column("owner", sa.BigInteger), sa.Column("blocked", sa.Boolean),
    sa.Column("since", sa.Date),
)  # fmt: skip
RECEIPT = sa.Table(
    "receipt", METADATA, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("qty", Scaled(6)),
    sa.Column("price", Scaled(4)), sa.Column("pieces", sa.BigInteger), sa.Column("name", sa.Text),
    sa.Column("code", sa.Text), sa.Column("status", sa.Text), sa.Column("active", sa.Boolean),
    sa.Column("checked", sa.Boolean), sa.Column("biz_date", sa.Date), sa.Column("due", sa.Date),
    sa.Column("created_at", sa.DateTime), sa.Column("customer", sa.BigInteger), sa.Column("warehouse", sa.BigInteger),
    sa.Column("creator", sa.BigInteger), sa.Column("department", sa.BigInteger),
)  # fmt: skip


class Columns:
    """Paths of the receipt: its own columns, and those of its customer by a scalar sub-query."""

    def column(self, path: Path) -> sa.ColumnElement[Any]:
        if len(path) == 1:
            return RECEIPT.c[path[0]]
        first, field = path
        assert first == "customer"
        found = sa.select(CUSTOMER.c[field]).where(CUSTOMER.c.id == RECEIPT.c.customer)
        return found.correlate(RECEIPT).scalar_subquery()


def maybe(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from([None, *values])


def figures(scale: int) -> st.SearchStrategy[Decimal | None]:
    near = st.sampled_from([Decimal(text).quantize(Decimal(1).scaleb(-scale)) for text in ("0", "1", "2", "-1", "10")])
    return st.none() | near | st.integers(-(10**12), 10**12).map(lambda number: Decimal(number).scaleb(-scale))


WORDS = maybe("", "A", "a", "AB", "b%", "_", "电池", "电", "x'y", "approved")
IDS = maybe(1, 2, 3)
DAYS = maybe(date(2026, 2, 10), date(2026, 2, 9), date(2026, 2, 11), date(1999, 12, 31))
MOMENTS = maybe(datetime(2026, 2, 10, 9, 15), datetime(2026, 2, 10, 9, 15, 0, 1), datetime(2026, 2, 9))
FLAGS = maybe(True, False)
CUSTOMERS = st.fixed_dictionaries(
    {"credit_limit": figures(4), "name": WORDS, "owner": IDS, "blocked": FLAGS, "since": DAYS}
)
RECEIPTS = st.fixed_dictionaries(
    {
        "qty": figures(6), "price": figures(4), "pieces": st.none() | st.integers(-20, 20).map(Decimal),
        "name": WORDS, "code": WORDS, "status": maybe("draft", "approved"), "active": FLAGS, "checked": FLAGS,
        "biz_date": DAYS, "due": DAYS, "created_at": MOMENTS, "customer": IDS, "warehouse": IDS, "creator": IDS,
        "department": IDS,
    }
)  # fmt: skip


def either(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


NUMERALS = either(
    "0", "1", "2.5", "0.0001", "0.0000001", "10", "-1", "99999999999999999999", "me.limit", "round(me.limit, 0)",
    "2 * 3",
)  # fmt: skip
FIGURES = st.recursive(
    either("qty", "price", "pieces", "customer.credit_limit") | NUMERALS,
    lambda inner: st.builds("({} {} {})".format, inner, either("+", "-"), inner) | st.builds("(-{})".format, inner),
    max_leaves=3,
)
TEXTS = either("name", "code", "customer.name", "'A'", "''", "'电池'", "me.name", "'x\\'y'", "None", "upper('ab')")
PEOPLE = either("creator", "me", "customer.owner", "me.boss", "None")
DATES = either("biz_date", "due", "customer.since", "today()", "add_days(today(), -1)", "date(1999, 12, 31)", "None")
CONDITIONS = st.one_of(
    st.builds("{} {} {}".format, FIGURES, either("==", "!=", "<", "<=", ">", ">="), FIGURES),
    st.builds("{} < {} <= {}".format, FIGURES, FIGURES, FIGURES),
    st.builds("{} {} ({}, {}, None)".format, FIGURES, either("in", "not in"), FIGURES, NUMERALS),
    st.builds("{} {} {}".format, TEXTS, either("==", "!="), TEXTS),
    st.builds("{} {} ({}, {})".format, TEXTS, either("in", "not in"), TEXTS, TEXTS),
    st.builds("status {} {}".format, either("==", "!="), either("'draft'", "'approved'", "None")),
    st.builds(
        "{}({}, {})".format,
        either("contains", "starts_with", "ends_with"),
        either("name", "code", "customer.name", "'AB'"),
        either("'A'", "''", "'b%'", "'_'", "'电'", "me.name"),
    ),
    st.builds("{} {} {}".format, PEOPLE, either("==", "!="), PEOPLE),
    st.builds("{} in ({}, {})".format, PEOPLE, PEOPLE, PEOPLE),
    st.builds("department {} me.department".format, either("==", "!=")),
    st.builds("warehouse {} me.warehouse".format, either("==", "!=")),
    st.builds("customer {} None".format, either("==", "!=")),
    st.builds("{} {} {}".format, DATES, either("==", "!="), DATES),
    st.builds(
        "{} {} {}".format,
        either("biz_date", "due", "customer.since"),
        either("<", "<=", ">", ">="),
        either("due", "today()", "add_days(today(), -1)"),
    ),
    st.builds("created_at {} now()".format, either("==", "!=", "<", ">=")),
    st.builds("empty({})".format, either("name", "qty", "due", "customer", "customer.name", "active", "creator")),
    either("active", "checked", "customer.blocked", "active == checked", "checked != None", "真", "active == False"),
)
EXPRESSIONS = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, either("and", "or"), inner),
        st.builds("(not ({}))".format, inner),
        st.builds("if({}, {}, {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database_url)
    METADATA.create_all(engine)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def names_of(number: int, receipt: Mapping[str, Any], customers: Mapping[int, Mapping[str, Any]]) -> dict[str, object]:
    """The receipt as ``evaluate`` sees it."""
    customer = receipt["customer"]
    link = None if customer is None else Row(customer, customers.get(customer, {}))
    return {**receipt, "id": number, "customer": link, "me": ME}


def stored(number: int, receipt: Mapping[str, Any]) -> dict[str, object]:
    """The receipt as its table keeps it."""
    pieces = receipt["pieces"]
    return {**receipt, "id": number, "pieces": None if pieces is None else int(pieces)}


def ready(text: str) -> Checked:
    result = checked(text, BOOLEAN, SCOPE)
    assert isinstance(result, Checked), (text, result)
    return result


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    text=EXPRESSIONS,
    receipts=st.lists(RECEIPTS, min_size=1, max_size=5),
    customers=st.tuples(CUSTOMERS, CUSTOMERS, CUSTOMERS),
)
@example(text="not (qty > 1)", receipts=[{}], customers=({}, {}, {}))
@example(text="not (qty == price)", receipts=[{}], customers=({}, {}, {}))
@example(text="qty - price == pieces - 1", receipts=[{}], customers=({}, {}, {}))
def test_predicate_and_where_admit_the_same_rows(
    connection: sa.Connection,
    text: str,
    receipts: list[dict[str, Any]],
    customers: tuple[dict[str, Any], ...],
) -> None:
    expression = ready(text)
    assert compilable(expression) == ()
    full = [{**dict.fromkeys(FIELDS), **receipt} for receipt in receipts]
    by_id = {
        number: {**dict.fromkeys(SCOPE.records["customer"]), **row} for number, row in enumerate(customers, start=1)
    }
    admitted = [
        number
        for number, receipt in enumerate(full, start=1)
        if evaluate(expression, names_of(number, receipt, by_id), CLOCK) is True
    ]
    where = compile_where(expression, Columns(), {"me": ME}, CLOCK)
    with connection.begin():
        connection.execute(CUSTOMER.insert(), [{"id": number, **row} for number, row in by_id.items()])
        connection.execute(RECEIPT.insert(), [stored(number, row) for number, row in enumerate(full, start=1)])
        found = connection.scalars(sa.select(RECEIPT.c.id).where(where).order_by(RECEIPT.c.id)).all()
        refused = connection.scalars(sa.select(RECEIPT.c.id).where(sa.not_(where)).order_by(RECEIPT.c.id)).all()
        connection.rollback()
    assert found == admitted
    assert not set(refused) & set(admitted)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("qty * price > 1", "qty * price"),
        ("round(qty, 2) == 1", "round(qty, 2)"),
        ("qty * 2 > 1", "qty * 2"),
        ("any(lines.qty > 0)", "any(lines.qty > 0)"),
        ("name < 'B'", "name"),
        ("upper(name) == 'A'", "upper(name)"),
        ("contains('ABC', code)", "contains('ABC', code)"),
        ("'a' in tags", "'a' in tags"),
        ("empty(tags)", "tags"),
        ("year(biz_date) == 2026", "year(biz_date)"),
        ("active and (customer.credit_limit / 2 > 1)", "customer.credit_limit / 2"),
        ("(qty > 1) == active", "qty > 1"),
        ("coalesce(qty, 0) > 1", "coalesce(qty, 0)"),
    ],
)
def test_what_sql_would_answer_differently_is_refused(text: str, part: str) -> None:
    (problem,) = compilable(ready(text))
    assert (problem.code, problem.params["part"]) == ("expression.not_filterable", part)
    with pytest.raises(Refused):
        compile_where(ready(text), Columns(), {"me": ME}, CLOCK)


def test_a_fixed_part_without_a_value_is_a_failure() -> None:
    with pytest.raises(EvaluationFailed):
        compile_where(ready("qty > 1 / (me.limit - 1.5)"), Columns(), {"me": ME}, CLOCK)


def test_scaled_columns_keep_exact_values(connection: sa.Connection) -> None:
    extremes = [Decimal("9223372036854.775807"), Decimal("-9223372036854.775807"), Decimal("0.000001"), Decimal("0")]
    with connection.begin():
        connection.execute(RECEIPT.insert(), [{"id": place, "qty": qty} for place, qty in enumerate(extremes)])
        kept = connection.scalars(sa.select(RECEIPT.c.qty).order_by(RECEIPT.c.id)).all()
        total = connection.scalar(sa.select(sa.func.sum(RECEIPT.c.qty)))
        over = connection.scalars(sa.select(RECEIPT.c.id).where(RECEIPT.c.qty > Decimal("0.000001"))).all()
    assert kept == extremes
    assert total == Decimal("0.000001")
    assert over == [0]


@pytest.mark.parametrize("value", ["9223372036854.775808", "0.0000001", "NaN", "Infinity"])
def test_a_value_that_does_not_fit_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Scaled(6).process_bind_param(Decimal(value), sa.create_engine("sqlite://").dialect)


def test_the_scale_of_a_column_cannot_be_lost() -> None:
    for operation in ("__mul__", "__truediv__", "__floordiv__", "__mod__"):
        with pytest.raises(TypeError, match="multiplied or divided"):
            getattr(RECEIPT.c.qty, operation)(RECEIPT.c.price)


def test_json_text_round_trip(connection: sa.Connection) -> None:
    table = sa.Table("kept", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("value", JsonText))
    values = [("a", "电"), {"b": (1, None, True), "a": {"x": "'"}}, None, ()]
    with connection.begin():
        table.create(connection)
        connection.execute(table.insert(), [{"id": place, "value": value} for place, value in enumerate(values)])
        kept = connection.scalars(sa.select(table.c.value).order_by(table.c.id)).all()
    assert kept == values
    with pytest.raises(sa.exc.StatementError, match="Decimal"):
        connection.execute(table.insert(), [{"id": 9, "value": {"x": Decimal("1.5")}}])
