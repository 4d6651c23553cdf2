"""A hundred thousand rows pass through reading, cleaning and grouping in bounded memory; so do long documents."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from runtime.definition_files import read_definition_files
from runtime.sheets import open_sheets
from runtime.sheets.import_parcels import Seen, parcels
from runtime.sheets.import_plan import ImportPlan
from tests.houses import CATALOG
from tests.imports.sheets import PRODUCT_HEADS, product

ROWS = 100_000
MOST_KB = 100 * 1024
OPENING = ("单据编号", "仓库", "商品编码", "期初数量", "成本单价")


@pytest.fixture(scope="module")
def bundle() -> AppBundle:
    made = bundle_of(read_definition_files(CATALOG / "general")[0], built_in_kinds())
    assert isinstance(made, AppBundle)
    return made


def test_master_records(tmp_path: Path, bundle: AppBundle) -> None:
    path = tmp_path / "products.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(PRODUCT_HEADS) + "\n")
        file.writelines(",".join(product(number)) + "\n" for number in range(ROWS))
    paths = ("code", "name", "spec", "category", "base_unit", "safety_stock", "purchase_price", "tax_rate")
    assert grown(lambda: passed(path, bundle, "product", PRODUCT_HEADS, paths) == ROWS) < MOST_KB


def test_documents_of_many_rows(tmp_path: Path, bundle: AppBundle) -> None:
    path = tmp_path / "opening.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(OPENING) + "\n")
        file.writelines(f"D{number // 50},W1,P{number},7,3.5\n" for number in range(ROWS))
    paths = ("number", "warehouse", "lines.product", "lines.qty", "lines.cost_price")
    assert grown(lambda: passed(path, bundle, "opening_stock", OPENING, paths) == ROWS // 50) < MOST_KB


def passed(path: Path, bundle: AppBundle, form: str, heads: tuple[str, ...], paths: tuple[str, ...]) -> int:
    """How many records a file makes."""
    plan = ImportPlan(
        form=form,
        file="",
        sheet=path.stem,
        header_rows=(1,),
        columns=dict(enumerate(heads)),
        mapping=dict(enumerate(paths)),
        rows=ROWS,
    )
    with open_sheets(path, path.name) as book:
        return sum(1 for _ in parcels(book, bundle.forms[form], plan, Seen()))


def grown(work: Callable[[], bool]) -> int:
    """Kilobytes the peak memory of a fresh process grows by while it does ``work``."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            right = work()
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            os.write(writing, str(after - before if right else 1 << 40).encode())
        finally:
            os._exit(0)  # a fork of a test process must not run its exit handlers
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    assert text, "the child died"
    return int(text)
