"""Decision tables, schedules and date rules: what is proved is true, and nothing is missed or counted twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from croniter import croniter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine.decisions.cells import condition_of
from engine.decisions.coverage import coverage
from engine.decisions.space import never_true
from engine.decisions.table import Table, TableRow, decide
from engine.definitions.rule import DateTrigger
from engine.expressions import Checked, Clock, EvaluationFailed, Scope, Tree, ValueType, check, evaluate, parse
from engine.expressions.types import BOOLEAN, NUMBER, TEXT
from engine.problems import Problem
from engine.rules.dates import due_at, windows
from engine.schedules.read import schedule_of

CLOCK = Clock(today=date(2026, 1, 5), now=datetime(2026, 1, 5, 9))
NAMES = {"a": NUMBER, "b": NUMBER, "c": BOOLEAN, "d": TEXT}
SCOPE = Scope(MappingProxyType(NAMES))


def checked(text: str, expected: ValueType | None = None) -> Checked:
    tree = parse(text)
    assert isinstance(tree, Tree), text
    found = check(tree, SCOPE, expected)
    assert isinstance(found, Checked), text
    return found


numbers = st.integers(-3, 3).map(lambda number: number * 10)
comparisons = st.builds(
    lambda sign, number: f"{sign} {number}", st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers
)
ranges = st.builds(
    lambda opening, low, high, closing: f"{opening}{min(low, high)}..{max(low, high)}{closing}",
    st.sampled_from(["[", "("]), numbers, numbers, st.sampled_from(["]", ")"]),
)  # fmt: skip
number_cells = st.one_of(st.just("-"), comparisons, ranges, numbers.map(str))
yes_no_cells = st.sampled_from(["-", "true", "false"])
text_cells = st.sampled_from(["-", "'x'", "'y'", "in ('x', 'y')", "not in ('x')", "!= 'z'"])
rows = st.fixed_dictionaries({"a": number_cells, "c": yes_no_cells, "d": text_cells})
values = st.fixed_dictionaries(
    {
        "a": st.integers(-80, 80).map(lambda number: Decimal(number) / 2),
        "b": st.integers(-80, 80).map(Decimal),
        "c": st.booleans(),
        "d": st.sampled_from(["x", "y", "z", "w"]),
    }
)


def table_of(written: list[dict[str, str]], hit: str) -> Table:
    made = []
    for number, row in enumerate(written):
        cells = {name: condition_of(name, cell) for name, cell in row.items()}
        tests = {name: checked(cell.text, BOOLEAN) for name, cell in cells.items() if cell is not None}
        made.append(TableRow(cells=tests, results={"result": checked(str(number))}))
    return Table(
        inputs={name: checked(name) for name in ("a", "c", "d")},
        outputs=("result",),
        hit=hit,
        rows=tuple(made),
        otherwise={},
    )


def test_a_text_that_no_row_names_is_a_gap() -> None:
    written = [{"a": "-", "c": "-", "d": "'y'"}, {"a": "-", "c": "-", "d": "in ('x', 'z')"}]
    assert coverage(table_of(written, "unique")).gap == "d ≠ x / y / z"
    assert coverage(table_of([*written, {"a": "-", "c": "-", "d": "not in ('x', 'y', 'z')"}], "unique")).gap == ""


@settings(deadline=None, max_examples=60)
@given(st.lists(rows, min_size=1, max_size=6), st.lists(values, min_size=1, max_size=20))
@example([{"a": "-", "c": "-", "d": "'y'"}], [{"a": Decimal(0), "b": Decimal(0), "c": False, "d": "x"}])
def test_what_is_proved_of_a_unique_table_is_true(
    written: list[dict[str, str]], points: list[dict[str, object]]
) -> None:
    """Without a finding there is one result for every value; an overlap that is claimed can be met."""
    table = table_of(written, "unique")
    found = coverage(table)
    for point in points:
        try:
            decided = decide(table, point, CLOCK)
        except EvaluationFailed as failed:
            assert failed.problem.code == "rule.table_overlap"
            assert found.overlaps
        else:
            assert decided.results or found.gap
    halves = [Decimal(number) / 2 for number in range(-64, 65)]
    for first, second in found.overlaps:
        pair = table_of([written[first], written[second]], "collect")
        assert any(
            decide(pair, {"a": a, "c": c, "d": d}, CLOCK).rows == (0, 1)
            for a in halves
            for c in (True, False)
            for d in ("x", "y", "z", "w")
        )


@settings(deadline=None, max_examples=60)
@given(st.lists(rows, min_size=1, max_size=6), st.lists(values, min_size=1, max_size=20))
def test_rows_that_are_never_reached_decide_nothing(
    written: list[dict[str, str]], points: list[dict[str, object]]
) -> None:
    table = table_of(written, "first")
    unreachable = set(coverage(table).unreachable)
    for point in points:
        assert not unreachable & set(decide(table, point, CLOCK).rows)


@settings(deadline=None, max_examples=60)
@given(st.lists(rows, min_size=1, max_size=5), values)
def test_hit_policies_agree_with_each_other(written: list[dict[str, str]], point: dict[str, object]) -> None:
    """The rows that match are the same for all; each policy only says what becomes of them."""
    matched = decide(table_of(written, "rule_order"), point, CLOCK).rows
    assert decide(table_of(written, "collect"), point, CLOCK).rows == matched
    assert decide(table_of(written, "first"), point, CLOCK).rows == matched[:1]
    figures = {hit: decide(table_of(written, hit), point, CLOCK).results for hit in ("sum", "min", "max", "count")}
    if matched:
        told = {hit: one[0]["result"] for hit, one in figures.items()}
        assert told == {"sum": sum(matched), "min": min(matched), "max": max(matched), "count": len(matched)}
    else:
        assert set(figures.values()) == {()}


conditions = st.recursive(
    st.one_of(
        st.builds(lambda name, cell: f"{name} {cell}", st.sampled_from(["a", "b"]), comparisons),
        st.sampled_from(["c", "not c", "d == 'x'", "d in ('x', 'y')", "d != 'y'", "a > b", "c == true"]).map(
            lambda text: text.replace("true", "True")
        ),
    ),
    lambda inner: st.one_of(
        st.builds(lambda one, other: f"({one}) and ({other})", inner, inner),
        st.builds(lambda one, other: f"({one}) or ({other})", inner, inner),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=60)
@given(conditions, st.lists(values, min_size=5, max_size=30))
def test_a_condition_called_never_true_never_is(text: str, points: list[dict[str, object]]) -> None:
    condition = checked(text, BOOLEAN)
    if never_true(condition):
        empty = dict.fromkeys(NAMES)
        assert not any(evaluate(condition, point, CLOCK) for point in (*points, empty))


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    # the oracle takes a span of one, and one of everything, for something else
    spans = st.tuples(number, number).filter(lambda ends: 0 < abs(ends[0] - ends[1]) < high - low)
    spans_text = spans.map(lambda ends: f"{min(ends)}-{max(ends)}")
    steps = st.integers(1, 12).map(lambda step: f"*/{step}")
    parts = st.lists(st.one_of(number.map(str), spans_text), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), steps, parts)


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
)
def test_cron_lines_mean_what_others_take_them_to_mean(fields: tuple[str, ...], moment: datetime) -> None:
    # A step in one of the two day fields makes it restricted here and unrestricted there; no line should rely on it.
    assume(not (fields[2].startswith("*/") or fields[4].startswith("*/")))
    spanned = {fields[4]: schedule_of(f"0 0 * * {fields[4]}"), fields[2]: schedule_of(f"0 0 {fields[2]} * *")}
    for one in spanned.values():
        assert not isinstance(one, Problem)
        assume(len(one.weekdays or ()) < 7 and len(one.days or ()) < 28)
    line = " ".join(fields)
    schedule = schedule_of(line)
    assert not isinstance(schedule, Problem), line
    theirs = croniter(line, moment)
    for _ in range(3):
        ours = schedule.next_after(moment)
        assert ours == theirs.get_next(datetime), line
        assert ours is not None
        moment = ours


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(-60, 60), min_size=1, max_size=4, unique=True),
    st.sampled_from(["00:00", "08:00", "23:59"]),
    st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1)), min_size=2, max_size=6),
)
def test_every_date_falls_due_exactly_once(days: list[int], at: str, moments: list[datetime]) -> None:
    """However the clock is looked at, each date and offset is met once, in the stretch its moment lies in."""
    trigger = DateTrigger(field="due", days=tuple(days), at=at)
    moments = sorted(moments)
    for value in (date(2025, 10, 1) + timedelta(days=number) for number in range(240)):
        for offset in days:
            met = sum(
                1
                for after, until in pairwise(moments)
                for window in windows(trigger, after, until, whole_days=True)
                if window.offset == offset and window.first.date() <= value <= window.last.date()
            )
            assert met == (moments[0] < due_at(trigger, value, offset, "days") <= moments[-1])
