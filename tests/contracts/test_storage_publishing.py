"""Publishing turns the tables of one bundle into those of the next, keeping what people entered, or changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
import sqlalchemy as sa

from engine.definitions.compiled import AppBundle
from engine.ledger import keys_of
from engine.problems import Refused
from runtime.declared import declared_ledgers
from runtime.publishing import plan, publish
from runtime.storage import ddl, documents, ledgers, snapshots
from runtime.storage.app_tables import app_tables
from runtime.storage.database import Database, read, write
from tests.contracts.storage_contract import AT, bundle_from, changed, product, stock_in, tiny_files, warehouse
from tests.contracts.test_storage_ledgers import post, receipt

PRODUCT = "forms/product.yaml"
SPEC = "  spec: {type: text, label: {zh: 规格型号, en: Specification}}\n"
SAFETY = '  safety_stock: {type: quantity, label: {zh: 安全库存, en: Safety stock}, default: "0"}\n'


def product_files(*replacements: tuple[str, str]) -> dict[str, str]:
    """The tiny app with texts of its product form replaced."""
    return changed(tiny_files(), PRODUCT, *replacements)


@pytest.fixture
def filled(empty: Database, tiny: AppBundle) -> dict[str, int]:
    """The tiny app published, with three products in it; ids by code."""
    publish(empty, tiny, "张三", AT)
    goods = [
        product("A1", "甲", spec="12.5", safety_stock=Decimal("2.5")),
        product("A2", "乙", spec="M8", safety_stock=Decimal("0.000001")),
        product("A3", "丙", spec=None, safety_stock=Decimal(1000)),
    ]
    with write(empty) as connection:
        stored = documents.insert_many(connection, app_tables(tiny), goods, ["", "", ""], AT)
    return {str(each.values["code"]): each.id for each in stored if each.id is not None}


def values(database: Database, bundle: AppBundle, field: str) -> dict[str, object]:
    """The field's value of every product by code."""
    with read(database) as connection:
        header = app_tables(bundle).forms["product"]
        found = documents.load_many(
            connection, app_tables(bundle), "product", connection.execute(sa.select(header.header.c.id)).scalars()
        )
    return {str(each.values["code"]): each.values[field] for each in found.values()}


def column_names(database: Database, table: str) -> set[str]:
    with read(database) as connection:
        return {column["name"] for column in sa.inspect(connection).get_columns(table)}


def test_the_first_publish_makes_tables_without_difference(empty: Database, tiny: AppBundle):
    done = publish(empty, tiny, "张三", AT)
    assert (done.hash, done.number, done.before) == (tiny.hash, 1, None)
    with read(empty) as connection:
        assert ddl.difference(connection, app_tables(tiny)) == []
        assert snapshots.current_hash(connection) == snapshots.current_hash(connection, "tiny") == tiny.hash
        kept = snapshots.load(connection, tiny.hash)
    assert kept is not None and dict(kept.files) == dict(tiny.files)
    assert (kept.info.publisher, kept.info.published_at, kept.info.version) == ("张三", AT, "1.0.0")


def test_publishing_the_same_again_changes_nothing(empty: Database, tiny: AppBundle, filled: dict[str, int]):
    done = publish(empty, tiny, "李四", AT)
    assert (done.changes, done.number, done.before) == ((), 1, tiny.hash)
    assert plan(empty, tiny).changes == ()
    assert values(empty, tiny, "name") == {"A1": "甲", "A2": "乙", "A3": "丙"}


def test_renaming_a_label_or_a_key_needs_no_ddl(empty: Database, tiny: AppBundle, filled: dict[str, int]):
    new = bundle_from(
        product_files(
            (SPEC, "  specification: {id: spec, type: text, label: {zh: 规格, en: Spec}}\n"),
            ("name, spec,", "name, specification,"),
        )
    )
    statements: list[str] = []

    @sa.event.listens_for(empty.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement.lstrip().upper())

    done = publish(empty, new, "张三", AT)
    assert not [each for each in statements if each.startswith(("ALTER", "CREATE", "DROP"))]
    assert [type(change).__name__ for change in done.changes] == ["RenameField"]
    assert values(empty, new, "specification") == {"A1": "12.5", "A2": "M8", "A3": None}


def test_a_new_field_and_a_new_table_are_added_to_a_table_with_rows(empty: Database, filled: dict[str, int]):
    new = bundle_from(
        product_files(
            (
                SPEC,
                SPEC
                + "  weight: {type: number, decimals: 3, label: 重量}\n"
                + "  warehouse: {type: link, to: warehouse, label: 默认仓库}\n"
                + "  made_on: {type: date, label: 日期}\n"
                + "  tags: {type: multi_choice, choices: {a: 甲, b: 乙}, label: 标签}\n"
                + "  others: {type: lines, label: 替代, fields: {product: {type: link, to: product, label: 商品}}}\n",
            ),
            ("filters: [name]", "filters: [name, warehouse]"),
        )
    )
    publish(empty, new, "张三", AT)
    tables = app_tables(new)
    with write(empty) as connection:
        old = documents.load(connection, tables, "product", filled["A1"])
        assert old.values["weight"] is None and old.lines["others"] == ()
        changed_values = {**old.values, "weight": Decimal("1.125"), "tags": ("a", "b")}
        documents.update(connection, tables, old, replace(old, values=changed_values), None, AT)
        assert documents.load(connection, tables, "product", filled["A1"]).values == changed_values


def test_a_dropped_field_is_archived_and_comes_back_with_its_values(
    empty: Database, tiny: AppBundle, filled: dict[str, int]
):
    without = bundle_from(product_files((SPEC, ""), ("name, spec,", "name,")))
    planned = plan(empty, without)
    assert planned.loses_data and [type(change).__name__ for change in planned.changes] == ["DropField"]
    publish(empty, without, "张三", AT)
    names = column_names(empty, "t_product")
    assert "f_spec" not in names and [name for name in names if name.startswith("x_f_spec_")]
    with write(empty) as connection:
        documents.insert(connection, app_tables(without), product("A4", "丁"), "", AT)
    publish(empty, tiny, "张三", AT)
    assert values(empty, tiny, "spec") == {"A1": "12.5", "A2": "M8", "A3": None, "A4": None}
    with read(empty) as connection:
        assert [each.number for each in snapshots.list_of(connection, "tiny")] == [2, 1]
        assert snapshots.current_hash(connection) == tiny.hash


def test_a_forced_drop_destroys_the_column(empty: Database, filled: dict[str, int]):
    publish(
        empty, bundle_from(product_files((SPEC, ""), ("name, spec,", "name,"))), "张三", AT, forced=["t_product.f_spec"]
    )
    assert not [name for name in column_names(empty, "t_product") if "spec" in name]


def test_a_dropped_form_is_archived_with_its_lines(empty: Database, tiny: AppBundle, filled: dict[str, int]):
    tables = app_tables(tiny)
    with write(empty) as connection:
        place = documents.insert(connection, tables, warehouse("W1", "主仓"), "", AT)
        stored = documents.insert(connection, tables, stock_in("IN1", place.id, [(filled["A1"], "1", "2")]), "", AT)
    files = {path: text for path, text in tiny_files().items() if "stock_in" not in path}
    files = {path: text for path, text in files.items() if not path.startswith(("tests/", "rules/"))}
    app = "\n".join(line for line in files["app.yaml"].splitlines() if "stock_in" not in line)
    app = app.replace(
        "cards:\n  - label: {zh: 待提交入库单, en: Receipts to submit}\n    where: doc_status == 'draft'\n", ""
    )
    roles = files["roles/keeper.yaml"].replace("stock_in, ", "").replace(", stock_in", "")
    publish(empty, bundle_from({**files, "app.yaml": app, "roles/keeper.yaml": roles}), "张三", AT)
    with read(empty) as connection:
        names = set(sa.inspect(connection).get_table_names())
    assert not {"t_stock_in", "t_stock_in__lines"} & names
    publish(empty, tiny, "张三", AT)
    with read(empty) as connection:
        assert documents.load(connection, tables, "stock_in", stored.id) == stored


TYPE_CHANGES = [
    # another type of the same field, and what becomes of 12.5, M8 and nothing
    ("number, decimals: 1", {"A1": Decimal("12.5"), "A2": None, "A3": None}),
    ("long_text", {"A1": "12.5", "A2": "M8", "A3": None}),
    ("integer", {"A1": None, "A2": None, "A3": None}),
]


@pytest.mark.parametrize(("kind", "expected"), TYPE_CHANGES)
def test_a_changed_type_converts_what_it_can_and_archives_the_rest(
    empty: Database, tiny: AppBundle, filled: dict[str, int], kind: str, expected: dict[str, object]
):
    new = bundle_from(product_files(("spec: {type: text,", f"spec: {{type: {kind},")))
    publish(empty, new, "张三", AT)
    assert values(empty, new, "spec") == expected
    publish(empty, tiny, "张三", AT)
    assert set(values(empty, tiny, "spec")) == {"A1", "A2", "A3"}
    with read(empty) as connection:
        assert ddl.difference(connection, app_tables(tiny)) == []


def test_decimals_are_widened_and_narrowed_exactly(empty: Database, filled: dict[str, int]):
    def with_safety(kind: str) -> AppBundle:
        text = f"  safety_stock: {{type: {kind}, label: {{zh: 安全库存, en: Safety stock}}}}\n"
        files = {path: text for path, text in product_files((SAFETY, text)).items() if not path.startswith("rules/")}
        return bundle_from(files)

    narrow, wide = with_safety("money"), with_safety("number, decimals: 6")
    publish(empty, narrow, "张三", AT)
    assert values(empty, narrow, "safety_stock") == {"A1": Decimal("2.5"), "A2": Decimal(0), "A3": Decimal(1000)}
    publish(empty, wide, "张三", AT)
    assert values(empty, wide, "safety_stock") == {"A1": Decimal("2.5"), "A2": Decimal(0), "A3": Decimal(1000)}


def test_a_new_unique_key_stands_only_over_unique_values(empty: Database, tiny: AppBundle, filled: dict[str, int]):
    unique = bundle_from(product_files(("spec: {type: text,", "spec: {type: text, unique: true,")))
    tables = app_tables(tiny)
    with write(empty) as connection:
        old = documents.load(connection, tables, "product", filled["A2"])
        twice = documents.update(connection, tables, old, replace(old, values={**old.values, "spec": "12.5"}), None, AT)
    with pytest.raises(Refused) as refused:
        publish(empty, unique, "张三", AT)
    (found,) = refused.value.problems
    assert (found.code, found.where, found.params["field"].zh) == ("storage.not_unique", "t_product.f_spec", "规格型号")
    with write(empty) as connection:
        assert snapshots.current_hash(connection) == tiny.hash
        assert ddl.difference(connection, tables) == []
        documents.update(connection, tables, twice, replace(twice, values={**twice.values, "spec": "M8"}), None, AT)
    publish(empty, unique, "张三", AT)
    with pytest.raises(Refused, match=r"storage\.duplicate"), write(empty) as connection:
        documents.insert(connection, app_tables(unique), product("A9", "己", spec="M8"), "", AT)
    publish(empty, tiny, "张三", AT)
    with write(empty) as connection:
        documents.insert(connection, tables, product("A9", "己", spec="M8"), "", AT)


def test_what_does_not_compare_equal_is_rolled_back(
    empty: Database, tiny: AppBundle, filled: dict[str, int], monkeypatch
):
    new = bundle_from(product_files((SPEC, SPEC + "  color: {type: text, label: 颜色}\n")))
    monkeypatch.setattr(ddl, "difference", lambda *_: ["something is left"])
    with pytest.raises(Refused, match=r"storage\.publish_difference"):
        publish(empty, new, "张三", AT)
    assert "f_color" not in column_names(empty, "t_product")
    with read(empty) as connection:
        assert snapshots.current_hash(connection) == tiny.hash
        assert snapshots.load(connection, new.hash) is None


@pytest.mark.parametrize("setting", ["cost_method: fifo", "cost_scope: warehouse", "cost_by_lot: true"])
def test_costs_are_locked_by_the_first_posting(empty: Database, tiny: AppBundle, setting: str):
    publish(empty, tiny, "张三", AT)
    other = bundle_from(changed(tiny_files(), "app.yaml", ("settings:\n", f"settings:\n  {setting}\n")))
    assert plan(empty, other).problems == ()
    with write(empty) as connection:
        post(connection, [receipt(1, 1, "1", "1")])
    with pytest.raises(Refused, match=r"storage\.cost_locked"):
        publish(empty, other, "张三", AT)


@pytest.mark.parametrize("places", [0, 1, 3])
def test_decimals_of_money_are_locked_by_the_first_posting(empty: Database, tiny: AppBundle, places: int):
    publish(empty, tiny, "张三", AT)
    other = bundle_from(changed(tiny_files(), "app.yaml", ("settings:\n", f"settings:\n  money_decimals: {places}\n")))
    assert plan(empty, other).problems == ()
    with write(empty) as connection:
        post(connection, [receipt(1, 1, "1", "1")])
    (against,) = plan(empty, other).problems
    assert (against.code, dict(against.params)) == ("storage.decimals_locked", {"old": 2, "new": places})
    with pytest.raises(Refused, match=r"storage\.decimals_locked"):
        publish(empty, other, "张三", AT)


DEPOSITS = """ledgers:
  - ledger: deposit
    label: {zh: 包装物押金, en: Deposits}
    dimensions: [product, warehouse]
    grains: [{grain: product, dimensions: [product]}]
    subject: warehouse
"""


def with_ledgers(text: str) -> AppBundle:
    """The tiny app with ledgers of its own."""
    return bundle_from(changed(tiny_files(), "app.yaml", ("menu:\n", text + "menu:\n")))


@pytest.mark.parametrize(
    ("replaced", "by", "code"),
    [
        (DEPOSITS, "", "storage.ledger_in_use"),
        ("ledger: deposit", "ledger: packaging", "storage.ledger_in_use"),
        ("dimensions: [product, warehouse]", "dimensions: [product]", "storage.ledger_shape_locked"),
        ("grain: product", "grain: goods", "storage.ledger_shape_locked"),
        ("dimensions: [product]}]", "dimensions: [warehouse]}]", "storage.ledger_shape_locked"),
        ("subject: warehouse", "subject: product", "storage.ledger_shape_locked"),
        ("zh: 包装物押金", "zh: 押金", ""),
        ("dimensions: [product, warehouse]", "dimensions: [warehouse, product]", ""),
    ],
)
def test_own_ledgers_with_entries_keep_their_shape(empty: Database, replaced: str, by: str, code: str):
    before, after = with_ledgers(DEPOSITS), with_ledgers(DEPOSITS.replace(replaced, by))
    publish(empty, before, "张三", AT)
    with write(empty) as connection:
        post(connection, [receipt(1, 1, "1", "1")])
    assert plan(empty, after).problems == ()  # other ledgers do not matter
    with write(empty) as connection:
        declared, entry = declared_ledgers(before), receipt(1, 1, "1", "1")._replace(ledger="deposit")
        balances = dict(ledgers.lock_balances(connection, set(keys_of(declared["deposit"], entry))))
        ledgers.append_entries(connection, [entry], AT, 7, balances, declared)
    found = plan(empty, after).problems
    assert [each.code for each in found] == ([code] if code else [])
    assert all(str(each.params["ledger"].zh) == "包装物押金" for each in found)


def test_any_walk_over_versions_keeps_rows_and_leaves_no_difference(
    empty: Database, tiny: AppBundle, filled: dict[str, int]
):
    versions = [
        tiny,
        bundle_from(product_files((SPEC, ""), ("name, spec,", "name,"))),
        bundle_from(product_files(("spec: {type: text,", "spec: {type: price,"))),
        bundle_from(product_files(("filters: [name]", "filters: [name, spec]"))),
    ]
    walk = [0, 1, 2, 3, 1, 0, 2, 1, 3, 0]
    for turn, (before, after) in enumerate(pairwise(walk)):
        done = publish(empty, versions[after], "张三", AT + timedelta(minutes=turn))
        assert done.before == versions[before].hash
        assert set(values(empty, versions[after], "name").values()) == {"甲", "乙", "丙"}
    assert values(empty, tiny, "spec") == {"A1": "12.5", "A2": "M8", "A3": None}
