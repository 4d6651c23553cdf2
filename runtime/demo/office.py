"""What else goes on in the office of the demo company: money, requests, counting, talk, and things that go wrong.

As everything of the demo it happens through the facade, by the people whose work it is. What is refused here is meant
to be: an administrator finds it in the log of rules and among what waits for somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.problems import Refused
from runtime.demo.company import SHIPPING, Plan
from runtime.demo.replay import Replay
from runtime.facade import accounts, documents, endpoints, flow_acts, notices, stand_ins
from runtime.facade.door import Door
from runtime.facade.endpoints import Entered
from runtime.facade.flow_acts import Act
from runtime.stages.steps import Command, Outcome

ROBOT = Entered(address="https://robot.example.invalid/send?key=demo")  # no machine is ever called .invalid
BANK, CASH = "YH01", "XJ01"
BANNED = "TING01"
COUNTED = "L01"  # the warehouse that is counted
REFUSED = "rule.rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """What the office works with.

    Attributes:
        received, shipped: partner, number and worth without tax of approved receipts and deliveries.
        supplier: the usual one. bought: codes of goods that are bought.
        waiting: ids of orders the purchasing manager decides on.
        counted: goods that have not moved since the first day, and how many there were.
    """

    received: Sequence[tuple[str, str, str]]
    shipped: Sequence[tuple[str, str, str]]
    supplier: str
    bought: Sequence[str]
    waiting: Sequence[int]
    counted: Sequence[tuple[str, Decimal]]


@dataclass(slots=True)
class Office:
    """One run.

    Attributes:
        doors: by login. drain: performs what waits to be performed.
        counts: documents made, by form.
    """

    doors: Mapping[str, Door]
    drain: Callable[[], object]
    counts: dict[str, int] = field(default_factory=dict)

    def live(self, business: Business) -> Mapping[str, int]:
        """Act it all out; returns how many documents were made, by form."""
        self._set_up()
        self._money(business)
        self._requests(business)
        self._count(business)
        self._talk(business)
        self._away()
        self.drain()
        self._send()
        return self.counts

    def _send(self) -> None:
        """What goes outside finds the robot switched off, so that nothing is tried and some of it was given up."""
        admin = self.doors["admin"]
        robot = endpoints.all_endpoints(admin)[-1].id
        endpoints.switch_endpoint(admin, robot, False)
        admin.house.sender.send_due(admin.workspace)
        endpoints.switch_endpoint(admin, robot, True)

    def _set_up(self) -> None:
        """Accounts, a supplier nobody may order from any more, and a robot that tells the head of the warehouse."""
        account = {
            "code": BANK,
            "name": "工商银行基本户",
            "type": "bank",
            "bank": "工商银行",
            "bank_account": "6222020200001234567",
        }
        self._file("finance", "account", "save", account)
        self._file("finance", "account", "save", {"code": CASH, "name": "现金", "type": "cash"})
        banned = {"code": BANNED, "name": "诚信紧固件（已停用）", "standing": "blacklisted"}
        self._file("data_admin", "supplier", "save", banned)
        admin, head = self.doors["admin"], self.doors["wh_mgr"]
        endpoints.add_endpoint(admin, "channel", "wecom_robot", ROBOT)
        notices.save_notice_settings(head, {"task": {"wecom_robot": "now"}}, mobile="13800000000")

    def _money(self, business: Business) -> None:
        """A receipt that settles a delivery, and payments at every step of their flow; one finds no cashier there."""
        for customer, number, worth in business.shipped[-3:]:
            item = {"item": number, "this": worth}
            header = {"customer": customer, "account": BANK, "amount": worth, "lines": [item]}
            self._file("finance", "receipt", "approve", header)
        steps = ("purchase_mgr", "finance", "finance_mgr", "cashier")
        bills = [
            {"supplier": supplier, "amount": worth, "lines": [{"item": number, "this": worth}]}
            for supplier, number, worth in business.received
        ]
        advance = {"supplier": business.supplier, "kind": "advance", "amount": "500"}
        for passed in (0, 1, 2, 4, 3):
            self._suspended("cashier", passed == 3)
            header = {**(bills.pop() if bills else advance), "account": BANK}
            outcome = self._file("buyer", "payment", "submit", header)
            self._agree("payment", outcome, steps[:passed])
        self._suspended("cashier", False)

    def _requests(self, business: Business) -> None:
        """Requests for goods: in pricing, with the controller, ordered by itself, and one whose order is refused."""
        tomorrow = (self.doors["buyer"].house.now() + timedelta(days=7)).date().isoformat()
        usual = business.supplier
        goods = zip(business.bought, ("", usual, usual, BANNED), (1, 2, 3, 3), strict=False)
        for product, supplier, passed in goods:
            line = {"product": product, "qty": "40", "price": "12.5"}
            header = {"need_date": tomorrow, "warehouse": SHIPPING, "urgency": "urgent", "lines": [line]}
            outcome = self._file("buyer", "purchase_request", "submit", header)
            steps = ("purchase_mgr", "buyer", "finance_mgr")[:passed]
            self._agree("purchase_request", outcome, steps, {"supplier": supplier} if supplier else {})
        order = {"supplier": BANNED, "warehouse": SHIPPING, "arrive_date": tomorrow}
        lines = [{"product": business.bought[0], "qty": "10", "price": "12.5"}]
        try:
            self._file("buyer", "purchase_order", "submit", {**order, "lines": lines})
        except Refused as refused:
            if any(one.code != REFUSED for one in refused.problems):
                raise

    def _count(self, business: Business) -> None:
        """A count that found more and less, agreed to: gains and losses follow. Another one waits, and broken goods."""
        (more, there), (less, here) = business.counted
        lines = [
            {"product": more, "count_qty": str(there + 3), "cause": "missed"},
            {"product": less, "count_qty": str(here - 2), "cause": "loss"},
        ]
        header = {"warehouse": COUNTED, "type": "spot"}
        found = self._file("keeper", "stocktake", "submit", {**header, "lines": lines})
        self._agree("stocktake", found, ("wh_mgr",))
        self.drain()
        self._file("keeper", "stocktake", "submit", {**header, "lines": lines[:1]})
        broken = {"warehouse": COUNTED, "reason": "damaged", "lines": [{"product": less, "qty": "1"}]}
        self._file("keeper", "scrap", "submit", broken)

    def _talk(self, business: Business) -> None:
        """What is said about orders that wait: hurry up, a question, somebody else's turn, one more who must agree."""
        gm, finance = self._user("gm"), self._user("finance_mgr")
        said: tuple[tuple[tuple[str, str, Act], ...], ...] = (
            (("buyer", "urge", Act(comment="供应商等着备货，请尽快审批")),),
            (
                ("purchase_mgr", "comment", Act(comment="请确认交期能否提前两天")),
                ("buyer", "comment", Act(comment="供应商答复可以提前一天")),
            ),
            (("purchase_mgr", "transfer", Act(users=(gm,), comment="新供应商，请王总定")),),
            (("purchase_mgr", "add_sign", Act(users=(finance,), place="before", comment="请看一下付款条件")),),
        )
        for order, acts in zip(business.waiting, said, strict=False):
            for login, kind, given in acts:
                flow_acts.act(self.doors[login], "purchase_order", order, kind, given)

    def _away(self) -> None:
        """Who decides for whom, from today and from tomorrow on."""
        today = datetime.combine(self.doors["gm"].house.now().date(), time())
        leave = (today + timedelta(days=1), today + timedelta(days=6))
        stand_ins.add(self.doors["gm"], self._user("finance_mgr"), "", *leave, "出差")
        stand_ins.add(
            self.doors["finance_mgr"], self._user("finance"), "payment", today, today + timedelta(days=3), "培训"
        )

    def _agree(
        self, form: str, outcome: Outcome, logins: Sequence[str], typed: Mapping[str, Any] | None = None
    ) -> None:
        """Let these decide one after the other; ``typed``: what the buyer enters at his step."""
        for login in logins:
            patch = (
                documents.patch_from_json(self.doors[login].form(form), typed) if typed and login == "buyer" else None
            )
            self._do(
                login, Command(form=form, action="approve", document=outcome.document, patch=patch, confirmed=True)
            )
        self.drain()

    def _suspended(self, login: str, suspended: bool) -> None:
        accounts.set_active(self.doors["admin"], self._user(login), not suspended)

    def _user(self, login: str) -> int:
        return self.doors[login].actor.user

    def _file(self, login: str, form: str, action: str, data: Mapping[str, Any]) -> Outcome:
        patch = documents.patch_from_json(self.doors[login].form(form), data)
        return self._do(login, Command(form=form, action=action, patch=patch, confirmed=True))

    def _do(self, login: str, command: Command) -> Outcome:
        outcome = documents.submit(self.doors[login], command)
        if command.document is None:
            self.counts[command.form] = self.counts.get(command.form, 0) + 1
        return outcome


def business(company: Plan, lived: Replay) -> Business:
    """What the days of the company left for the office."""
    moved = {line.product for order in company.orders for line in order.lines}
    moved |= {code for each in company.movements for code, _ in each.lines}
    orders = [order for order in company.orders if order.kind == "purchase_order"]
    bought = [line.product for order in orders for line in order.lines]
    lying = [
        (row["lines.product"], Decimal(row["lines.qty"]))
        for row in company.opening
        if row["warehouse"] == COUNTED and row["lines.product"] not in moved and "lines.lot_no" not in row
    ]
    return Business(
        received=lived.received,
        shipped=lived.shipped,
        supplier=orders[-1].partner,
        bought=tuple(dict.fromkeys(bought)),
        waiting=lived.waiting,
        counted=lying[:2],
    )
