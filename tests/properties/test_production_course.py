"""Documents of a workshop posted in any order come to what they would have come to in the order of their dates.

Raw material becomes a semi-finished product, that becomes a finished one; each work order takes issues, hours,
provisional receipts and settlements. Documents are dated back and forth, some are un-approved again. What is left is
then posted once more, in cost order, in an empty company: every document must have moved the same value, and every
balance be the same. The second company never puts anything into the middle, so it is the oracle of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.definitions.story import StoryDef
from engine.problems import Refused
from engine.values import ZERO
from runtime.bundles import bundle_in
from runtime.facade import documents, stock
from runtime.facade.documents import Command
from runtime.messages.catalogue import Catalogue
from runtime.stages.resolve import ids_of
from runtime.stories.deeds import give
from runtime.stories.theatre import Performance, Theatre
from runtime.verification import verify

WORKSHOP = Path(__file__).parents[1] / "apps" / "workshop"
PRODUCTS = ("RAW", "SEMI", "DONE")
ORDERS = {"WO20260120-0001": ("RAW", "SEMI"), "WO20260120-0002": ("SEMI", "DONE")}
COMPANY: Mapping[str, Any] = {
    "warehouse": [{"code": "W", "name": "仓库"}],
    "product": [{"code": code, "name": code} for code in PRODUCTS],
    "bom": [
        {"product": made, "lines": [{"product": used, "net": "1"}]}
        for used, made in (("RAW", "SEMI"), ("SEMI", "DONE"))
    ],
    "work_order": [
        {
            "bom": f"BOM-000{number}",
            "warehouse": "W",
            "outputs": [{"product": made, "warehouse": "W", "qty": "1000"}],
            "materials": [{"product": used, "net_each": "1"}],
        }
        for number, (used, made) in enumerate(ORDERS.values(), start=1)
    ],
}


@dataclass(frozen=True)
class Act:
    """One document wished for, or the un-approval of an earlier one."""

    kind: str
    day: int
    order: str
    quantity: Decimal
    price: Decimal
    earlier: int

    @property
    def date(self) -> str:
        return f"2026-01-{self.day:02}"


acts = st.builds(
    Act,
    kind=st.sampled_from(
        (
            "receive",
            "receive",
            "issue",
            "issue",
            "issue",
            "report",
            "finish",
            "finish",
            "settle",
            "settle",
            "sell",
            "undo",
        )
    ),
    day=st.integers(5, 12),
    order=st.sampled_from(tuple(ORDERS)),
    quantity=st.decimals(min_value=1, max_value=9, places=1),
    price=st.decimals(min_value=0, max_value=20, places=2),
    earlier=st.integers(0, 30),
)


@dataclass(frozen=True)
class Posted:
    """A document that was posted: its act, where it stands, and for a settlement the place of what it settles."""

    act: Act
    form: str
    document: int
    settles: int = -1


def written(act: Act) -> tuple[str, dict[str, Any]]:
    """The form and content of what ``act`` wishes."""
    used, made = ORDERS[act.order]
    line = {"qty": str(act.quantity)}
    header: dict[str, Any] = {"biz_date": act.date}
    match act.kind:
        case "receive":
            return "stock_in", header | {
                "warehouse": "W",
                "lines": [line | {"product": "RAW", "price": str(act.price)}],
            }
        case "sell":
            return "stock_out", header | {"warehouse": "W", "lines": [line | {"product": made}]}
        case "issue":
            wanted = {"work_order": act.order, "warehouse": "W", "reason": "试", "lines": [line | {"product": used}]}
            return "supplementary_issue", header | wanted
        case "report":
            hours = {
                "operation": "试",
                "hours": str(act.quantity),
                "labour_rate": str(act.price),
                "overhead_rate": "1.01",
            }
            return "work_report", header | {"work_order": act.order, "lines": [hours]}
        case _:
            finished = line | {"product": made, "warehouse": "W", "std_cost": str(act.price)}
            return "finish_receipt", header | {"work_order": act.order, "lines": [finished]}


def posted(performance: Performance, act: Act, form: str, content: Mapping[str, Any], source: int = 0) -> Posted | None:
    """The document, if it was accepted."""
    door = performance.director
    patch = documents.patch_from_json(door.form(form), content)
    try:
        if source:
            done = documents.push(
                door, "finish_receipt", source, form, overrides=patch, action="submit", confirmed=True
            )
        else:
            done = documents.submit(door, Command(form=form, action="submit", patch=patch, confirmed=True))
    except Refused:
        return None
    return Posted(act, form, done.document)


def run(performance: Performance, sequence: Sequence[Act]) -> list[Posted]:
    """Post the acts one after the other; what is still posted in the end, in posting order."""
    kept: list[Posted] = []
    for act in sequence:
        finished = [place for place, one in enumerate(kept) if one.form == "finish_receipt"]
        if act.kind == "undo" and kept:
            place = act.earlier % len(kept)
            if undone(performance, kept[place]):
                kept = [
                    replace(one, settles=one.settles - (one.settles > place))
                    for number, one in enumerate(kept)
                    if number != place
                ]
        elif act.kind == "settle" and finished:
            place = finished[act.earlier % len(finished)]
            made = posted(performance, act, "cost_settlement", {"biz_date": act.date}, kept[place].document)
            kept += [replace(made, settles=place)] if made else []
        elif act.kind not in ("undo", "settle"):
            made = posted(performance, act, *written(act))
            kept += [made] if made else []
    return kept


def undone(performance: Performance, one: Posted) -> bool:
    """Whether the document could be un-approved; it is voided then, so that it is nobody's downstream."""
    for action in ("unapprove", "void"):
        command = Command(form=one.form, action=action, document=one.document, reason="试", confirmed=True)
        try:
            documents.submit(performance.director, command)
        except Refused:
            return False
    return True


def in_order(performance: Performance, kept: Sequence[Posted]) -> list[Posted]:
    """The same documents posted by date, those of one day in the order they were posted; at the places of ``kept``."""
    again: dict[int, Posted] = {}
    for place in sorted(range(len(kept)), key=lambda number: (kept[number].act.day, number)):
        one = kept[place]
        if one.settles < 0:
            made = posted(performance, one.act, *written(one.act))
        else:
            source = again[one.settles].document
            made = posted(performance, one.act, one.form, {"biz_date": one.act.date}, source)
        assert made is not None, one
        again[place] = made
    return [again[place] for place in range(len(kept))]


def moved(performance: Performance, one: Posted) -> Mapping[tuple[str, str], Decimal]:
    """Value a document moved, corrections included, by ledger and move."""
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in stock.document_entries(performance.director, one.form, one.document):
        if entry.ledger in ("stock", "wip", "variance") and entry.value:
            key = (entry.ledger, "" if entry.ledger == "variance" else entry.move)
            sums[key] = sums.get(key, ZERO) + entry.value
    return {key: value for key, value in sums.items() if value}


def held(performance: Performance, products: Mapping[str, int], orders: Mapping[str, int]) -> dict[str, Any]:
    """Every balance costing answers for."""
    door = performance.director
    balances: dict[str, Any] = {name: stock.balance(door, "wip", {"subject": one}) for name, one in orders.items()}
    for name, one in products.items():
        balances[name] = stock.balance(door, "stock", {"product": one})
        balances[f"{name} variance"] = stock.balance(door, "variance", {"product": one})
    return balances


def named(performance: Performance, form: str, names: Sequence[str]) -> Mapping[str, int]:
    """Ids of records and documents by what people call them."""
    with performance.director.reading() as unit:
        return ids_of(unit, form, set(names))


@contextmanager
def company(theatre: Theatre, story: StoryDef) -> Iterator[Performance]:
    """A company with its master data and two work orders, in which nothing has moved yet."""
    with theatre.open(story) as performance:
        give(performance)
        yield performance


@pytest.fixture(scope="module", params=["moving_average", "fifo"])
def companies(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> Iterator[Callable[[], Any]]:
    """Opens fresh companies, by either costing method."""
    switches = {"cost_method": request.param}
    story = StoryDef.model_validate(
        {"story": "course", "label": "试", "date": "2026-01-20", "settings": switches, "given": COMPANY, "steps": []}
    )
    with Theatre(bundle_in(WORKSHOP), catalogue, tmp_path_factory.mktemp("theatre"), WORKSHOP / "tests") as theatre:
        yield lambda: company(theatre, story)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sequence=st.lists(acts, min_size=6, max_size=24))
def test_any_order_comes_to_the_order_of_dates(companies: Callable[[], Any], sequence: list[Act]) -> None:
    with companies() as performance:
        kept = run(performance, sequence)
        differences = verify(performance.house, performance.workspace.key).differences
        products, orders = named(performance, "product", PRODUCTS), named(performance, "work_order", tuple(ORDERS))
        got = held(performance, products, orders), [moved(performance, one) for one in kept]
    assert differences == ()
    with companies() as performance:
        again = in_order(performance, kept)
        products, orders = named(performance, "product", PRODUCTS), named(performance, "work_order", tuple(ORDERS))
        expected = held(performance, products, orders), [moved(performance, one) for one in again]
    assert got == expected


def test_a_settlement_divides_over_all_receipts_of_its_order(companies: Callable[[], Any]) -> None:
    """Three receipts of one unit at 1.00, a cost of 13.01: what is left, 10.01, is shared to the cent."""
    order = next(iter(ORDERS))
    hours = Act("report", 5, order, Decimal("1"), Decimal("12"), 0)
    finished = [Act("finish", day, order, Decimal(1), Decimal(1), 0) for day in (6, 7, 8)]
    with companies() as performance:
        receipts = run(performance, [hours, *finished])[1:]
        door = performance.director
        proposals = [documents.push_patch(door, one.form, one.document, "cost_settlement") for one in receipts]
        lines = tuple(line for each in proposals for line in each.lines["lines"])
        patch = replace(proposals[0], values={**proposals[0].values, "biz_date": "2026-01-09"}, lines={"lines": lines})
        settled = documents.submit(door, Command(form="cost_settlement", action="submit", patch=patch, confirmed=True))
        entries = stock.document_entries(door, "cost_settlement", settled.document)
        assert [str(one.value) for one in entries if one.ledger == "stock"] == ["3.3400", "3.3400", "3.3300"]
        semi, owed = named(performance, "product", ["SEMI"]), named(performance, "work_order", [order])
        assert stock.balance(door, "stock", {"product": semi["SEMI"]}) == (3, Decimal("13.01"))
        assert stock.balance(door, "wip", {"subject": owed[order]}) == (0, 0)
