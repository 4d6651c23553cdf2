"""A house whose jobs are worked by processes of their own, for `bench.jobs` and the tests of what a crash may cost.

It has errands (documents that wait for a deadline), messages for one receiver, and goods to post meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType

import sqlalchemy as sa

from bench.job_processes import WORKSPACE, MovedClock
from engine.actor import automation
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, documents
from runtime.facade.documents import Command, patch_from_json
from runtime.facade.door import Door
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.messages.catalogue import load_catalogue
from runtime.plugin_loading import load_plugins
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.storage import deliveries, endpoints, process_tables
from runtime.storage.database import Database, in_transaction, read, write
from runtime.storage.deliveries import Delivery
from runtime.storage.endpoints import Endpoint
from runtime.storage.ids import allocate
from runtime.storage.product_tables import history
from runtime.workspaces import create_workspace

TEMPLATE = Path(__file__).parent.parent / "templates_catalog" / "general"
LOGIN, PASSWORD, RECEIVER = "runner", "bench-bench", "crm"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRODUCTS = 10
HOURS = 30
MORE = MappingProxyType(
    {
        "forms/errand.yaml": """
            form: errand
            label: {zh: 差事, en: Errand}
            number: "ER-{seq:6}"
            display: "{number}"
            search: [number]
            fields:
              purpose: {type: text, label: {zh: 事由, en: Purpose}, required: true}
            list:
              columns: [number, purpose, doc_status]
            """,
        "workflows/errand_approval.yaml": f"""
            workflow: errand_approval
            label: {{zh: 差事审批, en: Errand approval}}
            form: errand
            steps:
              - approve: boss
                label: {{zh: 老板审批, en: Boss}}
                by: {{role: gm}}
                deadlines:
                  - {{hours: {HOURS}, then: agree}}
            """,
        "roles/runner.yaml": """
            role: runner
            label: {zh: 跑腿, en: Runner}
            grants:
              - forms: [errand]
                actions: [read, create, update, submit]
            """,
    }
)


@dataclass(slots=True, kw_only=True)
class Yard:
    """The house as the process sees it that has made it; its own jobs are never drained.

    Attributes:
        folder: of the clock, of what workers say and of what has arrived. goods: ids of warehouse and products.
    """

    settings: Settings
    folder: Path
    house: House
    clock: MovedClock
    warehouse: int = 0
    goods: tuple[int, ...] = ()

    @property
    def door(self) -> Door:
        """The person who may do everything."""
        return accounts.user_door(self.house, WORKSPACE, LOGIN)

    def errand(self) -> int:
        """A new errand on its way; it is agreed to by itself after `HOURS`."""
        return make(self.door, "errand", "submit", {"purpose": "取货"})

    def queue(self, number: int, first: int = 0) -> None:
        """Queue so many messages for the receiver, numbered from ``first``; their ids say the number."""
        now = self.clock()
        rows = [
            Delivery(
                channel="outbound", address=RECEIVER, event="errand.done", payload={"data": {"n": each}},
                message_id=f"msg_{each}", created_at=now, next_at=now,
            )
            for each in range(first, first + number)
        ]  # fmt: skip
        in_transaction(self.database, lambda connection: deliveries.add(connection, rows))

    def post(self, key: str, lines: int = PRODUCTS) -> int:
        """A receipt of one piece each, under an idempotency key; returns its id."""
        data = {"warehouse": self.warehouse, "lines": [{"product": each, "qty": "1", "cost_price": "2.5"}
                                                      for each in self.goods[:lines]]}  # fmt: skip
        return make(self.door, "other_receipt", "approve", data, key)

    @property
    def database(self) -> Database:
        """Of the workspace."""
        return self.house.workspace(WORKSPACE).database

    def number_of(self, query: str) -> int:
        """A count the database is asked for."""
        with read(self.database) as connection:
            return int(connection.execute(sa.text(query)).scalar_one())

    def fired(self) -> int:
        """Timers that have been told."""
        return self.number_of("SELECT count(*) FROM sys_timer WHERE outcome = 'fired'")

    def sent(self) -> int:
        """Messages that have arrived, as far as the house knows."""
        return self.number_of("SELECT count(*) FROM sys_delivery WHERE state = 'done'")


@contextmanager
def yard(folder: Path, url: str | None, receiver_port: int) -> Iterator[Yard]:
    """A furnished house over ``folder`` or the server database ``url``."""
    clock = MovedClock(file=folder / "clock")
    settings = settings_of(folder, url, receiver_port)
    installed = load_plugins()
    house, _ = inline_house(settings, installed.kinds, load_catalogue(), clock, plugins=installed.plugins)
    made = Yard(settings=settings, folder=folder, house=house, clock=clock)
    try:
        _furnish(made, receiver_port)
        yield made
    finally:
        house.close()


def settings_of(folder: Path, url: str | None, receiver_port: int) -> Settings:
    """The same for the house and its workers."""
    allowed = f"127.0.0.1:{receiver_port}"
    return Settings(data_dir=folder / "data", database_url=url, test_mode=True, webhook_allow_hosts=allowed)


def _furnish(made: Yard, receiver_port: int) -> None:
    house = made.house
    place = house.keep(create_workspace(house.settings, WORKSPACE))
    found, problems = read_definition_files(TEMPLATE)
    files = {path: text for path, text in found.items() if not path.startswith("tests/")}  # its stories are not told
    bundle = bundle_of({**files, **{path: dedent(text) for path, text in MORE.items()}}, house.kinds)
    if problems or not isinstance(bundle, AppBundle):
        raise RuntimeError(f"the definitions have problems: {problems or bundle}")
    house.apps.keep(bundle)
    publish(place.database, bundle, "bench", house.now())
    accounts.enter(house, WORKSPACE, automation())
    roles = sorted(set(bundle.roles) - {"automation"})
    accounts.add_user(house, WORKSPACE, login=LOGIN, name=LOGIN, password=PASSWORD, roles=roles)
    door = made.door
    unit = make(door, "unit", "save", {"name": "件", "precision": "0"})
    category = make(door, "product_category", "save", {"code": "C1", "name": "紧固件"})
    made.warehouse = make(door, "warehouse", "save", {"code": "W1", "name": "主仓"})
    made.goods = tuple(
        make(door, "product", "save", {"code": f"A{each}", "name": f"螺丝 {each}", "category": category,
                                       "base_unit": unit})
        for each in range(PRODUCTS)
    )  # fmt: skip
    address = f"http://127.0.0.1:{receiver_port}/{RECEIVER}"
    one = Endpoint(kind="outbound", key=RECEIVER, address=address, secret=SECRET, created_at=house.now())
    in_transaction(place.database, lambda connection: endpoints.add(connection, one))


def make(door: Door, form: str, action: str, data: Mapping[str, object], key: str = "") -> int:
    """Submit a new document; returns its id."""
    patch = patch_from_json(door.bundle.forms[form], data)
    command = Command(form=form, action=action, patch=patch, idempotency_key=key)
    return documents.submit(door, command).document


def multiply(one: Yard, document: int, wanted: int) -> None:
    """Copy an errand until there are ``wanted``, with its run, task, timer and history, as if submitted one by one."""
    tables = one.door.tables.forms["errand"]
    own = (process_tables.run_entry, process_tables.task, process_tables.timer, process_tables.approval_log)
    with write(one.database) as connection:
        header = dict(
            connection.execute(sa.select(tables.header).where(tables.header.c.id == document)).mappings().one()
        )
        ids = [int(each) for each in allocate(connection, wanted - 1)]
        numbered = [{**header, "id": each, "number": f"ER-{2 + place:06}"} for place, each in enumerate(ids)]
        connection.execute(tables.header.insert(), numbered)
        connection.execute(sa.text("UPDATE sys_counter SET value = :n WHERE value = 1 AND name LIKE '%errand%'"),
                           {"n": wanted})  # fmt: skip
        run = _like(connection, process_tables.run, document)[0]
        known = run.pop("id")
        connection.execute(process_tables.run.insert(), [{**run, "document": each} for each in ids])
        runs = dict(connection.execute(sa.select(process_tables.run.c.document, process_tables.run.c.id)).all())
        told = [{**row, "document": each} for row in _like(connection, history, document) for each in ids]
        connection.execute(history.insert(), [_without_id(row) for row in told])
        for table in own:
            query = sa.select(table).where(table.c.run == known)
            rows = [dict(row) for row in connection.execute(query).mappings()]
            about = "document" in table.c
            copies = [
                _without_id({**row, "run": runs[each], **({"document": each} if about else {})})
                for row in rows
                for each in ids
            ]
            if copies:
                connection.execute(table.insert(), copies)


def _like(connection: sa.Connection, table: sa.Table, document: int) -> list[dict[str, object]]:
    query = sa.select(table).where(table.c.form == "errand", table.c.document == document).order_by(table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _without_id(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "id"}
