"""``python -m bench``: measure on SQLite and PostgreSQL and write the tables of ``bench/README.md``.

``--quick`` takes fewer requests and rows and only prints; ``--only`` picks a database and only prints, unless
``--write`` puts its section into the README; ``--keep`` only prints; ``--most`` stops at a number of ledger entries.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import cases, scale, servers
from bench.cases import FULL, QUICK, Effort, Pair
from bench.company import FLOOR, PRODUCT, found, open_house
from bench.fill import fill_entries, fill_products
from bench.importing import import_products
from bench.load import resident_mb
from bench.report import Found, joined, machine, sections, written
from bench.stages import by_stage
from runtime.house import House
from runtime.settings import Settings
from runtime.verification import verify

DATABASES = ("sqlite", "postgres")
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def main() -> int:
    """Run; 1 when a target was missed by a case that has one."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests and rows; the README stays as it is")
    parser.add_argument("--keep", action="store_true", help="leave the README as it is")
    parser.add_argument("--write", action="store_true", help="put what was measured into the README")
    parser.add_argument("--only", choices=DATABASES, help="one database")
    parser.add_argument("--most", type=int, default=FULL.entries[-1], help="stop at this many ledger entries")
    given = parser.parse_args()
    gc.freeze()  # as in the product's own processes
    effort = QUICK if given.quick else FULL
    effort = replace(effort, entries=tuple(each for each in effort.entries if each <= given.most))
    measured = [_measure(kind, effort) for kind in DATABASES if given.only in (None, kind)]
    run = "quick run" if given.quick else f"up to {effort.entries[-1]:,} entries"
    parts = sections(measured, run, machine())
    print(joined(parts))
    if given.write or not (given.quick or given.keep or given.only):
        written(parts)
    return 0


def _measure(kind: str, effort: Effort) -> Found:
    folder = Path(tempfile.mkdtemp(prefix="stockloom-bench-"))
    try:
        with ExitStack() as stack:
            url = stack.enter_context(servers.postgres(folder / "pg")) if kind == "postgres" else None
            return _on(kind, folder / "data", url, effort)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _on(kind: str, data: Path, url: str | None, effort: Effort) -> Found:
    house = open_house(Settings(data_dir=data, database_url=url))
    companies = (found(house, PRODUCT), found(house, FLOOR))
    company = companies[0]
    result = Found(database=NAMES[kind])
    _say(kind, "founded")
    with ExitStack() as stack:
        product = stack.enter_context(servers.product(data, url, company))
        sides = (product, stack.enter_context(servers.floor(data, url, FLOOR)))
        result.rows = cases.same_rows(house, companies, sides)
        result.pairs += _tell(kind, cases.writes(sides, companies, effort))
        _say(kind, "wrote")
        result.races.append(cases.race(product, company))
        result.memory_mb = resident_mb(product.pid)
    result.stages = by_stage(house, company)
    result.imported = import_products(house, company, data, effort.imported)
    _say(kind, f"imported {result.imported.rate:.0f} rows/s, {result.imported.cpu_rate:.0f} by processor time")
    began = time.perf_counter()
    products = fill_products(house, company, effort.products)
    _say(kind, f"filled {len(products)} products in {time.perf_counter() - began:.0f} s")
    with ExitStack() as stack:
        product = stack.enter_context(servers.product(data, url, company))
        sides = (product, stack.enter_context(servers.floor(data, url, PRODUCT)))
        result.pairs += _tell(kind, cases.paging(sides, company, effort))
        there = 0
        for entries in effort.entries:
            fill_entries(house, company, products, there, entries)
            there = entries
            _say(kind, f"filled {entries} entries at {time.perf_counter() - began:.0f} s")
            if entries == effort.entries[0]:  # later the floor has written into the same books
                result.differences = _verified(kind, house, company.workspace)
            result.pairs += _tell(kind, cases.balances(sides, company, products[7], effort, entries))
            result.pairs += _tell(kind, cases.posting(sides, company, effort, entries))
            result.scales.append(scale.monthly(house, company, entries))
        result.memory_mb = max(result.memory_mb, resident_mb(product.pid))
    result.scales += scale.grown(house, company, products, effort.later, effort.lots)
    result.scales += scale.side_by_side(house, company, products, effort.documents)
    for one in result.scales:
        _say(kind, f"{one.what}: {one.measured:.2f} {one.unit}")
    result.starts = [servers.seconds_to_first_page(data, url) for _ in range(effort.starts)]
    house.close()
    _say(kind, "done")
    return result


def _verified(kind: str, house: House, workspace: str) -> int:
    """How many differences ``verify`` finds, the first of them told."""
    found = verify(house, workspace).differences
    for one in found[:3]:
        _say(kind, f"verify: {one.code} {dict(one.params)}")
    return len(found)


def _tell(kind: str, pairs: list[Pair]) -> list[Pair]:
    """The pairs, said at once: a run takes a while."""
    for one in pairs:
        _say(
            kind,
            f"{one.case}, {one.clients} client(s): {one.product.p50:.1f} / {one.floor.p50:.1f} ms = {one.ratio:.2f}",
        )
    return pairs


def _say(kind: str, what: str) -> None:
    print(f"{kind}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
