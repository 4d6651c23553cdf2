"""What is measured: the requests of each case to both sides, and the checks that both did the same work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from time import perf_counter

import sqlalchemy as sa

from bench.company import Company
from bench.load import Caller, Request, Requests, Sample, Side, alternate, call
from runtime.house import House
from runtime.storage.database import Connection, read

API = "/api/v1/{workspace}/general"
LINES = 10
LEFT = 24
TRIES = 12
CLIENTS = 8
TOOK = 201
REFUSED = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How many requests a figure rests on, and how much there is to search in."""

    blocks: int
    size: int
    products: int
    entries: tuple[int, ...]
    imported: int
    starts: int
    later: int
    lots: int
    documents: int


FULL = Effort(
    blocks=8, size=20, products=100_000, entries=(100_000, 1_000_000, 5_000_000), imported=10_000, starts=3,
    later=10_000, lots=100_000, documents=480,
)  # fmt: skip
QUICK = Effort(
    blocks=4, size=10, products=5_000, entries=(5_000, 20_000), imported=1_000, starts=1, later=2_000, lots=5_000,
    documents=96,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One case measured on both sides; ``target``: the most the ratio may be."""

    case: str
    clients: int
    product: Sample
    floor: Sample
    target: float

    @property
    def ratio(self) -> float:
        """Median of the product over median of the floor."""
        return self.product.p50 / self.floor.p50


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What became of the last units."""

    units: int
    tries: int
    sold: int
    refused: int
    others: int
    left: str
    seconds: float


def creating_products(company: Company) -> Requests:
    """Products by the API of the product."""

    def request(number: int) -> Request:
        return "POST", f"{API.format(workspace=company.workspace)}/product", {"data": _product(company, number)}

    return request


def bare_products(company: Company) -> Requests:
    """The same products to the floor."""
    return lambda number: ("POST", "/product", {"data": _product(company, number)})


def creating_receipts(company: Company) -> Requests:
    """Receipts, created and approved in one request."""

    def request(number: int) -> Request:
        path = f"{API.format(workspace=company.workspace)}/purchase_receipt"
        return "POST", path, {"data": _receipt(company, number), "action": "approve"}

    return request


def bare_receipts(company: Company) -> Requests:
    """The same receipts to the floor."""
    return lambda number: ("POST", "/purchase_receipt", {"data": _receipt(company, number), "action": "approve"})


def measured(
    case: str,
    sides: tuple[Side, Side],
    requests: tuple[Requests, Requests],
    effort: Effort,
    target: float,
    clients: int = 1,
) -> Pair:
    """Both sides in turn. Raises ``RuntimeError`` when a request did not succeed."""
    blocks, size = (effort.blocks, effort.size) if clients == 1 else (effort.blocks // 2, effort.size // 2)
    pairs = {side.name: (side, each) for side, each in zip(sides, requests, strict=True)}
    samples = alternate(pairs, blocks, size, clients)
    for name, sample in samples.items():
        if any(status >= 400 for status in sample.statuses):
            raise RuntimeError(f"{case} on {name}: {sample.statuses} {call(*_first(pairs[name]))[1][:500]!r}")
    return Pair(case=case, clients=clients, product=samples["product"], floor=samples["floor"], target=target)


def writes(sides: tuple[Side, Side], companies: tuple[Company, Company], effort: Effort) -> list[Pair]:
    """Creating products and receipts, one client and eight."""
    product, floor = companies
    found: list[Pair] = []
    for clients in (1, CLIENTS):
        products = (creating_products(product), bare_products(floor))
        found.append(measured("create a product", sides, products, effort, 4.0, clients))
        receipts = (creating_receipts(product), bare_receipts(floor))
        found.append(measured("create and approve a 10-line receipt", sides, receipts, effort, 3.0, clients))
    return found


def same_rows(house: House, companies: tuple[Company, Company], sides: tuple[Side, Side]) -> Mapping[str, int]:
    """Rows one receipt adds per table. Raises ``RuntimeError`` when the floor adds others."""
    found: list[dict[str, int]] = []
    for company, side, requests in zip(companies, sides, (creating_receipts, bare_receipts), strict=True):
        request = requests(company)
        call(side, request(1))  # whatever is made once for these products is there now
        before = _sizes(house, company.workspace)
        status, body = call(side, request(1))
        if status != TOOK:
            raise RuntimeError(f"{side.name}: {status} {body[:500]!r}")
        after = _sizes(house, company.workspace)
        found.append({table: after[table] - before[table] for table in after if after[table] != before[table]})
    if found[0] != found[1]:
        raise RuntimeError(f"the floor writes other rows: {found}")
    return found[0]


def paging(sides: tuple[Side, Side], company: Company, effort: Effort) -> list[Pair]:
    """A filtered, sorted page of products."""
    columns = "code,name,spec,category,base_unit,item_type,purchase_price,sale_price,safety_stock"
    path = f"{API.format(workspace=company.workspace)}/product?columns={columns}"
    path += f"&filter=category:eq:{company.category}&sort=code&limit=50"
    requests: tuple[Requests, Requests] = (
        lambda _: ("GET", path, None),
        lambda _: ("GET", f"/product?category={company.category}&limit=50", None),
    )
    case = f"filtered, sorted page of {effort.products:,} products"
    return [measured(case, sides, requests, effort, 2.0, clients) for clients in (1, CLIENTS)]


def balances(sides: tuple[Side, Side], company: Company, product: int, effort: Effort, entries: int) -> list[Pair]:
    """The stock of one product in every warehouse, and the first page of the stock levels."""
    path = f"{API.format(workspace=company.workspace)}/-/stock?limit=50"
    of_one: tuple[Requests, Requests] = (
        lambda _: ("GET", f"{path}&product={product}", None),
        lambda _: ("GET", f"/stock?limit=50&product={product}", None),
    )
    of_all: tuple[Requests, Requests] = (lambda _: ("GET", path, None), lambda _: ("GET", "/stock?limit=50", None))
    return [
        measured(f"balances of a product, {entries:,} entries", sides, of_one, effort, 3.0),
        measured(f"page of 50 balances, {entries:,} entries", sides, of_all, effort, 3.0),
    ]


def posting(sides: tuple[Side, Side], company: Company, effort: Effort, entries: int) -> list[Pair]:
    """A receipt into a ledger of this many entries."""
    requests = (creating_receipts(company), bare_receipts(company))
    case = f"create and approve a 10-line receipt, {entries:,} entries"
    return [measured(case, sides, requests, effort, 3.0)]


def race(side: Side, company: Company) -> Race:
    """Eight clients ask for the last units of a product one by one."""
    base, product, warehouse = API.format(workspace=company.workspace), company.products[-1], company.warehouses[0]
    stocked = {"warehouse": warehouse, "lines": [{"product": product, "qty": LEFT, "cost_price": "1"}]}
    status, body = call(side, ("POST", f"{base}/other_receipt", {"data": stocked, "action": "approve"}))
    if status != TOOK:
        raise RuntimeError(f"no stock to race for: {status} {body[:500]!r}")
    issue: Request = (
        "POST",
        f"{base}/other_issue",
        {"data": {"warehouse": warehouse, "lines": [{"product": product, "qty": 1}]}, "action": "approve"},
    )
    gate = Barrier(CLIENTS)

    def run(_: int) -> list[int]:
        caller = Caller(side)
        gate.wait()
        found = [caller.call(issue)[0] for _ in range(TRIES)]
        caller.close()
        return found

    began = perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = [status for each in pool.map(run, range(CLIENTS)) for status in each]
    seconds = perf_counter() - began
    answer = json.loads(call(side, ("GET", f"{base}/-/stock?product={product}&limit=10", None))[1])
    return Race(
        units=LEFT,
        tries=len(statuses),
        sold=statuses.count(TOOK),
        refused=statuses.count(REFUSED),
        others=len(statuses) - statuses.count(TOOK) - statuses.count(REFUSED),
        left=answer["rows"][0]["on_hand"] if answer["rows"] else "0",
        seconds=seconds,
    )


def _first(pair: tuple[Side, Requests]) -> tuple[Side, Request]:
    side, requests = pair
    return side, requests(0)


def _product(company: Company, number: int) -> dict[str, object]:
    return {
        "code": f"N{number:07}",
        "name": f"内六角螺丝 {number}",
        "category": company.category,
        "base_unit": company.unit,
        "spec": "M6 × 20",
        "purchase_price": "2.5",
        "sale_price": "4",
    }


def _receipt(company: Company, number: int) -> dict[str, object]:
    products = company.products
    lines = [
        {
            "product": products[(number * LINES + place) % (len(products) - LINES)],
            "unit": company.unit,
            "qty": 3 + place,
            "price": "2.50",
            "tax_rate": 13,
        }
        for place in range(LINES)
    ]
    return {"supplier": company.supplier, "warehouse": company.warehouses[0], "lines": lines}


def _sizes(house: House, workspace: str) -> dict[str, int]:
    place = house.workspace(workspace)
    tables = [*house.published(place).tables.metadata.tables.values()]
    names = [table.name for table in tables] + ["sys_history", "sys_approval_log", "sys_entry", "sys_balance"]
    names += ["sys_task", "sys_outbox", "sys_alert", "sys_link", "sys_run"]
    with read(place.database) as connection:
        return {name: _size(connection, name) for name in names}


def _size(connection: Connection, table: str) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())
