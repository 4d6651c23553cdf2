"""Lives a plan: every order, receipt and delivery is filed and approved by the people of the company, in order of date.

Everything goes through the facade like a click would; nothing here knows the database. What the plan says may not be
possible (somebody changed the template) is refused by the product and ends the replay with its reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from engine.document import DocStatus
from engine.forms.draft import LinePatch, Patch
from engine.problems import Refused
from runtime.demo.company import DAY, SHIPPING, Fate, Movement, Order, Plan
from runtime.demo.masters import KEPT
from runtime.demo.plan import CENT, total_with_tax
from runtime.demo.tracking import TRANSIT, Tracking
from runtime.facade import documents
from runtime.facade.door import Door
from runtime.stages.steps import Command, Outcome

REFUSAL = "供应商无法按期交货"
RETURNS = 3
LARGE = 50_000  # above it the general manager decides too; the newest of these wait for him
FROZEN = "TT-M928"
# In the order the flows of the template ask them; not everybody is asked about every order.
APPROVERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "purchase_order": ("purchase_mgr", "finance_mgr", "gm"),
        "sales_order": ("finance", "sales_mgr", "gm"),
    }
)
NOT_ASKED = "workflow.not_yours"
RETURN_FORM, DELIVERY_FORM, RECEIPT_FORM = "sales_return", "sales_delivery", "purchase_receipt"


@dataclass(slots=True)
class Replay:
    """One run.

    Attributes:
        doors: by login. step: called with the number of steps done after each.
        counts: documents made, by form.
        received, shipped: partner, number and worth without tax of what came in and went out.
        waiting: orders the purchasing manager has to decide on.
    """

    doors: Mapping[str, Door]
    step: Callable[[int], None]
    counts: dict[str, int] = field(default_factory=dict)
    _tracked: Tracking = field(init=False)
    _orders: dict[str, int] = field(default_factory=dict)
    _shipped: list[int] = field(default_factory=list)
    received: list[tuple[str, str, str]] = field(default_factory=list)
    shipped: list[tuple[str, str, str]] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def live(self, plan: Plan) -> Mapping[str, int]:
        """Act out the whole plan; returns how many documents were made, by form."""
        self._tracked = tracked(plan)
        for act in timeline(plan):
            match act.what:
                case Movement() as movement:
                    self._move(movement)
                case Order() as order if act.execution:
                    self._execute(order)
                case Order() as order:
                    self._order(order)
            self.step(1)
        for delivery in self._shipped[-RETURNS:]:
            self._take_back(delivery)
        self._set_aside()
        return self.counts

    def _submit(self, login: str, command: Command) -> Outcome:
        outcome = documents.submit(self.doors[login], command)
        if command.document is None:
            self.counts[command.form] = self.counts.get(command.form, 0) + 1
        return outcome

    def _order(self, order: Order) -> None:
        buying = order.kind == "purchase_order"
        header = {
            "biz_date": order.day.isoformat(),
            "supplier" if buying else "customer": order.partner,
            "arrive_date" if buying else "promise_date": order.due.isoformat(),
            "warehouse": order.warehouse,
            **({"contract_no": order.reference} if buying else {"channel": "网店", "channel_no": order.reference}),
        }
        lines = tuple(
            LinePatch(values={"product": line.product, "qty": str(line.quantity), "price": str(line.price)})
            for line in order.lines
        )
        outcome = self._submit(
            "buyer" if buying else "sales",
            Command(
                form=order.kind,
                action="save" if order.fate is Fate.DRAFT else "submit",
                patch=Patch(values=header, lines={"lines": lines}),
                confirmed=True,
            ),
        )
        self._orders[order.reference] = outcome.document
        if order.fate is Fate.REJECTED:
            self._submit(
                "purchase_mgr", Command(form=order.kind, action="reject", document=outcome.document, reason=REFUSAL)
            )
        elif order.fate is Fate.APPROVED:
            self._approve(order.kind, outcome)
        elif order.fate is Fate.PENDING and total_with_tax(order.lines) > LARGE:
            self._submit("purchase_mgr", Command(form=order.kind, action="approve", document=outcome.document))
        elif order.fate is Fate.PENDING:
            self.waiting.append(outcome.document)

    def _approve(self, form: str, outcome: Outcome) -> None:
        """Let the approvers of the flow decide one after the other; whoever is not asked is passed over."""
        for login in APPROVERS[form]:
            while outcome.status is DocStatus.PENDING:
                try:
                    outcome = self._submit(login, Command(form=form, action="approve", document=outcome.document))
                except Refused as refused:
                    if any(one.code != NOT_ASKED for one in refused.problems):
                        raise
                    break

    def _execute(self, order: Order) -> None:
        """The receipt or delivery of an order: filed by the storekeeper, approved by the warehouse manager."""
        target = RECEIPT_FORM if order.kind == "purchase_order" else DELIVERY_FORM
        login = "keeper" if order.warehouse in KEPT else "wh_mgr"
        proposed = documents.push_patch(self.doors[login], order.kind, self._orders[order.reference], target)
        sources = list(dict.fromkeys(row.source for row in proposed.lines["lines"]))  # a line may come split by lot
        day = order.executed_on or order.day
        lines = tuple(
            LinePatch(
                values={
                    "qty": str(quantity),
                    **({"reject_qty": str(each.rejected)} if each.rejected else {}),
                    **values,
                },
                source=sources[each.line],
            )
            for each in order.executed
            for quantity, values in self._kept(order, order.lines[each.line].product, each.quantity, day)
        )
        if not lines:
            return  # what is there is past its date
        header = {"biz_date": day.isoformat()}
        filed = self._submit(
            login,
            Command(form=target, action="submit", patch=Patch(values=header, lines={"lines": lines}), confirmed=True),
        )
        if not order.waits:
            done = self._submit("wh_mgr", Command(form=target, action="approve", document=filed.document))
            if target == DELIVERY_FORM:
                self._shipped.append(filed.document)
            worth = sum((each.quantity * order.lines[each.line].price for each in order.executed), Decimal(0))
            told = (order.partner, done.number or "", str(worth.quantize(CENT)))
            (self.shipped if target == DELIVERY_FORM else self.received).append(told)

    def _move(self, movement: Movement) -> None:
        places = (
            {"from_warehouse": movement.source, "to_warehouse": movement.target}
            if movement.kind == "transfer"
            else {"warehouse": movement.target, "in_type": "other"}
        )
        lines = tuple(
            LinePatch(values={"product": code, "qty": str(quantity), **values})
            for code, wanted in movement.lines
            for quantity, values in self._moved(movement, code, wanted)
        )
        patch = Patch(values={"biz_date": movement.day.isoformat(), **places}, lines={"lines": lines})
        self._submit("wh_mgr", Command(form=movement.kind, action="approve", patch=patch, confirmed=True))

    def _kept(
        self, order: Order, product: str, quantity: Decimal, day: date
    ) -> Iterable[tuple[Decimal, Mapping[str, str]]]:
        """The lots, bins and serial numbers of a line that is received or delivered."""
        if order.kind == "purchase_order":
            return [(quantity, self._tracked.incoming(product, order.warehouse, quantity, day))]
        picked = self._tracked.outgoing(product, order.warehouse, quantity, day)
        return [(part, {key: value for key, value in values.items() if key != "mfg_date"}) for part, values in picked]

    def _moved(
        self, movement: Movement, product: str, quantity: Decimal
    ) -> Iterator[tuple[Decimal, Mapping[str, str]]]:
        if not movement.source:
            yield quantity, self._tracked.incoming(product, movement.target, quantity, movement.day)
            return
        for part, values in self._tracked.outgoing(product, movement.source, quantity, movement.day, "from_bin"):
            there = self._tracked.moved(product, movement.target, part, values, movement.source)
            yield part, {**values, **there}

    def _set_aside(self) -> None:
        """A few goods are frozen, and some are on their way to another warehouse."""
        lot = self._tracked.fresh_lot(FROZEN, SHIPPING)
        if not lot:
            return
        goods = {"product": FROZEN, "lot_no": lot}
        frozen = LinePatch(values={**goods, "qty": "3", "to_status": "frozen"})
        sent = LinePatch(values={**goods, "qty": "10"})
        header = {"from_warehouse": SHIPPING, "to_warehouse": "L50", "transit_warehouse": TRANSIT}
        for form, values, line in (
            ("status_change", {"warehouse": SHIPPING, "reason": "complaint"}, frozen),
            ("transfer_send", header, sent),
        ):
            patch = Patch(values=values, lines={"lines": (line,)})
            self._submit("wh_mgr", Command(form=form, action="approve", patch=patch, confirmed=True))

    def _take_back(self, delivery: int) -> None:
        """A customer returns the first line; the return waits for approval."""
        proposed = documents.push_patch(self.doors["keeper"], DELIVERY_FORM, delivery, RETURN_FORM)
        first = proposed.lines["lines"][0]
        serial = str(first.values.get("serials") or "").partition(" ")[0]
        line = LinePatch(values={"qty": "1", **({"serials": serial} if serial else {})}, source=first.source)
        patch = Patch(values={"return_reason": "damaged"}, lines={"lines": (line,)})
        self._submit("keeper", Command(form=RETURN_FORM, action="submit", patch=patch, confirmed=True))


def tracked(plan: Plan) -> Tracking:
    """What is where by lot and serial number after the opening stock."""
    found = Tracking(plan.today, plan.opening_day)
    totals: dict[tuple[str, str], Decimal] = {}
    for row in plan.opening:
        place = (row["lines.product"], row["warehouse"])
        totals[place] = totals.get(place, Decimal(0)) + Decimal(row["lines.qty"])
    for (product, warehouse), quantity in totals.items():
        found.opening(product, warehouse, quantity)
    return found


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens on a day; ``rank`` orders what happens on the same day."""

    day: date
    rank: int
    what: Order | Movement
    execution: bool = False


def timeline(plan: Plan) -> list[Act]:
    """Everything in the order it happens: movements, purchasing, sales, deliveries."""
    return sorted(_acts(plan), key=lambda act: (act.day, act.rank))


def steps(plan: Plan) -> int:
    """How many times ``Replay.step`` is called."""
    return sum(1 for _ in _acts(plan))


def _acts(plan: Plan) -> Iterator[Act]:
    for movement in plan.movements:
        yield Act(movement.day, 0, movement)
    for order in plan.orders:
        buying = order.kind == "purchase_order"
        yield Act(order.day, 1 if buying else 3, order)
        if order.executed_on is not None:
            yield Act(order.executed_on + order.entered_late * DAY, 2 if buying else 4, order, execution=True)
