"""The floor: bare FastAPI endpoints over SQLAlchemy Core, as one would write them by hand for this one company.

They write the same rows into the same tables in one transaction, and read the same figures. They check nothing, know no
person, no permission, no approval, no rule, and look nothing up. ``python -m bench.floor WORKSPACE PORT``.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.dialects import postgresql, sqlite

from bench.company import open_house
from engine.ledger import BalanceKey
from runtime.settings import read_settings
from runtime.storage.app_tables import AppTables, RowTable
from runtime.storage.counters import next_values
from runtime.storage.database import Database, in_transaction, read
from runtime.storage.ids import allocate
from runtime.storage.ledger_tables import balance, entry
from runtime.storage.process_tables import approval_log
from runtime.storage.product_tables import history

USER, SNAPSHOT = 1, "floor"
KEEP_ALIVE_S = 30
CENT, ZERO = Decimal("0.01"), Decimal(0)
HASH = "0" * 64  # as long as a link of the chain; the floor works none out


BLANK_ENTRY = {
    "move": "purchase_in", "form": "purchase_receipt", "action": "approve", "batch": 1, "user": USER, "mirror_of": None,
    "snapshot": SNAPSHOT, "ref_line": 0, "bin": 0, "lot": "", "serial": "", "status": "", "owner": 0, "subject": 0,
    "element": "", "aux": ZERO, "basis": "given", "origin": 0, "hash": HASH,
}  # fmt: skip


class ProductData(BaseModel):
    """A product as sent."""

    code: str
    name: str
    category: int
    base_unit: int
    spec: str
    purchase_price: Decimal
    sale_price: Decimal


class LineData(BaseModel):
    """A line as sent."""

    product: int
    unit: int
    qty: Decimal
    price: Decimal
    tax_rate: Decimal


class ReceiptData(BaseModel):
    """A receipt as sent."""

    supplier: int
    warehouse: int
    lines: list[LineData]


class ProductSent(BaseModel):
    """The body of a request."""

    data: ProductData


class ReceiptSent(BaseModel):
    """The body of a request."""

    data: ReceiptData
    action: str


def named(rows: RowTable, values: dict[str, Any]) -> dict[str, Any]:
    """Values by field as values by column, every column of the table present."""
    return {rows.fields[key].name: values.get(key) for key in rows.keys}


def header(form_id: int, number: str | None, status: str, now: datetime, search: str) -> dict[str, Any]:
    """The system columns of a header."""
    approved = status == "approved"
    return {
        "id": form_id, "number": number, "doc_status": status, "exec_status": "none", "version": 1,
        "snapshot": SNAPSHOT, "creator": USER, "department": None, "created_at": now, "modified_at": now,
        "modifier": USER, "submitted_at": now, "approver": USER if approved else None,
        "approved_at": now if approved else None, "biz_date": now.date() if approved else None, "origin": "api",
        "batch": None, "search": search,
    }  # fmt: skip


def acted(form: str, document: int, now: datetime, action: str) -> dict[str, Any]:
    """A row of the history."""
    return {
        "form": form, "document": document, "version": 1, "at": now, "user": USER, "user_name": "bench",
        "action": action, "changes": {}, "reason": "", "origin": "api",
    }  # fmt: skip


def changed(moves: list[tuple[Any, ...]], document: int, now: datetime) -> dict[str, dict[str, Any]]:
    """Rows of balances the moves add to, by key, in the order of keys."""
    rows: dict[str, dict[str, Any]] = {}
    for ledger, product, warehouse, partner, _, quantity, value in moves:
        place = {"product": product, "warehouse": warehouse}
        month = {**place, "move": "purchase_in", "month": now.year * 100 + now.month}
        goods = {"place": place, "cost": {"product": product}, "month": month}
        money = {
            "partner": {"partner": partner},
            "document": {"partner": partner, "ref_form": "purchase_receipt", "ref_document": document},
        }
        for grain, dimensions in (goods if product else money).items():
            key = BalanceKey(ledger, grain, **dimensions)
            row = rows.setdefault(
                key.text,
                {"key": key.text, **key._asdict(), "quantity": ZERO, "value": ZERO, "entries": 0, "version": 1,
                 "last_day": now.date(), "head": HASH},
            )  # fmt: skip
            row["quantity"] += quantity
            row["value"] += value
            row["entries"] += 1
    return dict(sorted(rows.items()))


class Floor:
    """The tables of one workspace and the statements over them, put together once."""

    def __init__(self, database: Database, tables: AppTables) -> None:
        self.database = database
        self.product = tables.forms["product"].rows
        self.receipt = tables.forms["purchase_receipt"].rows
        self.lines = tables.forms["purchase_receipt"].line_rows["lines"]
        self.category = tables.forms["product_category"].rows
        self.unit = tables.forms["unit"].rows
        self.warehouse = tables.forms["warehouse"].rows
        insert: Any = sqlite.insert(balance) if database.is_sqlite else postgresql.insert(balance)
        self.upsert = insert.on_conflict_do_update(
            index_elements=[column.name for column in balance.primary_key],
            set_={
                "entries": balance.c.entries + insert.excluded.entries,
                "last_day": insert.excluded.last_day,
                "head": insert.excluded.head,
                "quantity": sa.type_coerce(balance.c.quantity, sa.BigInteger)
                + sa.type_coerce(insert.excluded.quantity, sa.BigInteger),
                "value": sa.type_coerce(balance.c.value, sa.BigInteger)
                + sa.type_coerce(insert.excluded.value, sa.BigInteger),
                "version": balance.c.version + 1,
            },
        )
        self.page = self._page()
        self.places, self.places_of_one = self._places(None), self._places(sa.bindparam("product"))
        self.figures = self._figures()

    def create_product(self, data: ProductData) -> dict[str, Any]:
        """One header row, one row of history."""
        now = datetime.now().replace(microsecond=0)

        def work(connection: sa.Connection) -> int:
            identity = allocate(connection, 1)[0]
            values = named(self.product, {**data.model_dump(), "tax_rate": Decimal(13)})
            search = f"{data.code.lower()} {data.name.lower()}"
            row = {**header(identity, None, "active", now, search), **values}
            connection.execute(self.product.table.insert(), [row])
            connection.execute(history.insert(), [acted("product", identity, now, "create")])
            return identity

        return {"id": in_transaction(self.database, work)}

    def create_receipt(self, data: ReceiptData) -> dict[str, Any]:
        """Header, lines, history, approval log, entries and balances of an approved receipt."""
        now = datetime.now().replace(microsecond=0)
        amounts = [(one.qty * one.price).quantize(CENT) for one in data.lines]
        taxes = [(amount * one.tax_rate / 100).quantize(CENT) for amount, one in zip(amounts, data.lines, strict=True)]
        total = sum(amounts, ZERO) + sum(taxes, ZERO)

        def work(connection: sa.Connection) -> tuple[int, str]:
            ids = iter(allocate(connection, 3 + 2 * len(data.lines)))
            identity = next(ids)
            day = f"PI{now:%Y%m%d}-"
            number = f"{day}{next_values(connection, 'number:purchase_receipt', f'{day}#'):04d}"
            values = {
                "supplier": data.supplier, "warehouse": data.warehouse, "keeper": USER, "qc_result": "passed",
                "total_qty": sum((one.qty for one in data.lines), ZERO), "goods_amt": sum(amounts, ZERO),
                "tax_total": sum(taxes, ZERO), "doc_total": total,
            }  # fmt: skip
            row = {**header(identity, number, "approved", now, number.lower()), **named(self.receipt, values)}
            connection.execute(self.receipt.table.insert(), [row])
            lines = [
                {
                    "id": next(ids), "document": identity, "line_no": place, "source_form": None, "source_id": None,
                    "source_line": None,
                    **named(
                        self.lines,
                        {
                            **one.model_dump(), "conv_rate": 1, "base_qty": one.qty, "discount_rate": 100,
                            "tax_price": one.price * (1 + one.tax_rate / 100), "amount": amount, "tax_amt": tax,
                            "total_amt": amount + tax,
                        },
                    ),
                }
                for place, (one, amount, tax) in enumerate(zip(data.lines, amounts, taxes, strict=True), start=1)
            ]  # fmt: skip
            connection.execute(self.lines.table.insert(), lines)
            connection.execute(history.insert(), [acted("purchase_receipt", identity, now, "approve")])
            decided = {
                "run": 0, "form": "purchase_receipt", "document": identity, "node": "", "label_zh": "审核",
                "label_en": "Approve", "user": USER, "user_name": "bench", "action": "approve", "reason": "", "at": now,
            }  # fmt: skip
            connection.execute(approval_log.insert(), [decided])
            moves = [
                ("stock", one.product, data.warehouse, 0, line["id"], one.qty, amount)
                for one, line, amount in zip(data.lines, lines, amounts, strict=True)
            ]
            moves += [
                ("payable", 0, 0, data.supplier, 0, ZERO, amount) for amount in (sum(amounts, ZERO), sum(taxes, ZERO))
            ]
            connection.execute(
                entry.insert(),
                [
                    {
                        **BLANK_ENTRY, "id": next(ids), "ledger": ledger, "product": product, "warehouse": warehouse,
                        "partner": partner, "quantity": quantity, "value": value, "stated": value if product else ZERO,
                        "ref_form": "" if product else "purchase_receipt", "ref_document": 0 if product else identity,
                        "due": None if product else now.date(), "document": identity, "line": line,
                        "biz_date": now.date(), "posted_at": now,
                    }
                    for ledger, product, warehouse, partner, line, quantity, value in moves
                ],
            )  # fmt: skip
            connection.execute(self.upsert, list(changed(moves, identity, now).values()))
            return identity, number

        identity, number = in_transaction(self.database, work)
        return {"id": identity, "number": number, "doc_status": "approved"}

    def list_products(self, category: int, limit: int) -> dict[str, Any]:
        """The filtered and sorted page."""
        with read(self.database) as connection:
            found = connection.execute(self.page, {"category": category, "limit": limit + 1}).mappings().all()
        return {"rows": [dict(row) for row in found[:limit]], "more": len(found) > limit}

    def stock(self, product: int | None, limit: int) -> dict[str, Any]:
        """The first page of the stock levels, or those of one product."""
        with read(self.database) as connection:
            statement = self.places if product is None else self.places_of_one
            places = connection.execute(statement, {"product": product, "limit": limit + 1}).all()
            shown = {(row[0], row[1]) for row in places[:limit]}
            figures = connection.execute(self.figures, {"ids": sorted({row[0] for row in shown})}).mappings().all()
        return {"rows": [dict(row) for row in figures if (row["product"], row["warehouse"]) in shown]}

    def _page(self) -> sa.Select[Any]:
        p, c, u = self.product, self.category.table.alias("c"), self.unit.table.alias("u")
        code, name = (c.c[self.category.fields[key].name] for key in ("code", "name"))
        names = ("code", "name", "spec", "item_type", "purchase_price", "sale_price", "safety_stock")
        return (
            sa.select(
                p.table.c.id,
                p.table.c.doc_status,
                *(p.fields[name].label(name) for name in names),
                (code + " " + name).label("category"),
                u.c[self.unit.fields["name"].name].label("base_unit"),
            )
            .outerjoin(c, c.c.id == p.fields["category"])
            .outerjoin(u, u.c.id == p.fields["base_unit"])
            .where(p.fields["category"] == sa.bindparam("category"))
            .order_by(p.fields["code"].asc(), p.table.c.id)
            .limit(sa.bindparam("limit"))
        )

    def _places(self, product: sa.BindParameter[Any] | None) -> sa.Select[Any]:
        places = sa.select(balance.c.product, balance.c.warehouse).where(
            balance.c.grain == "place",
            balance.c.ledger.in_(("stock", "reservation", "supply")),
            balance.c.quantity != 0,
        )
        if product is not None:
            places = places.where(balance.c.product == product)
        order = (balance.c.product, balance.c.warehouse)
        return places.distinct().order_by(*order).limit(sa.bindparam("limit"))

    def _figures(self) -> sa.Select[Any]:
        p, u, w = self.product, self.unit.table.alias("u"), self.warehouse.table.alias("w")
        pool = balance.alias("pool")

        def of(ledger: str) -> sa.ColumnElement[Any]:
            return sa.func.sum(sa.case((balance.c.ledger == ledger, balance.c.quantity), else_=0)).label(ledger)

        shown = (
            balance.c.product,
            balance.c.warehouse,
            p.fields["code"].label("code"),
            p.fields["name"].label("name"),
            p.fields["safety_stock"].label("safety_stock"),
            u.c[self.unit.fields["name"].name].label("unit"),
            w.c[self.warehouse.fields["name"].name].label("warehouse_text"),
            pool.c.quantity.label("pool_quantity"),
            pool.c.value.label("pool_value"),
        )
        return (
            sa.select(*shown, of("stock"), of("reservation"), of("supply"))
            .join(p.table, p.table.c.id == balance.c.product)
            .join(u, u.c.id == p.fields["base_unit"])
            .join(w, w.c.id == balance.c.warehouse)
            .outerjoin(
                pool,
                sa.and_(pool.c.ledger == "stock", pool.c.grain == "cost", pool.c.product == balance.c.product),
            )
            .where(
                balance.c.grain == "place",
                balance.c.product.in_(sa.bindparam("ids", expanding=True)),
                balance.c.ledger.in_(("stock", "reservation", "supply")),
            )
            .group_by(*shown)
            .order_by(balance.c.product, balance.c.warehouse)
        )


def floor_app(floor: Floor) -> FastAPI:
    """The endpoints."""
    app = FastAPI(openapi_url=None)

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.post("/product", status_code=201)
    def product(sent: ProductSent) -> dict[str, Any]:
        return floor.create_product(sent.data)

    @app.post("/purchase_receipt", status_code=201)
    def purchase_receipt(sent: ReceiptSent) -> dict[str, Any]:
        return floor.create_receipt(sent.data)

    @app.get("/product")
    def products(category: int, limit: int = 50) -> dict[str, Any]:
        return floor.list_products(category, limit)

    @app.get("/stock")
    def stock(product: int | None = None, limit: int = 50) -> dict[str, Any]:
        return floor.stock(product, limit)

    return app


def main() -> None:
    """Serve until stopped."""
    workspace, port = sys.argv[1], int(sys.argv[2])
    house = open_house(read_settings(os.environ))
    place = house.workspace(workspace)
    floor = Floor(place.database, house.published(place).tables)
    uvicorn.run(
        floor_app(floor),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


if __name__ == "__main__":
    main()
