"""Documents and records come back as they went in, versions protect them, and links are found by every name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from engine.document import DocStatus, ExecStatus, SourceLine
from engine.problems import Refused
from runtime.storage import documents, history, links
from runtime.storage.app_tables import AppTables
from runtime.storage.database import Database, read, write
from runtime.storage.search_text import search_text, searchable
from tests.contracts.storage_contract import AT, product, stock_in, warehouse


@pytest.fixture
def stocked(empty: Database, tables: AppTables) -> dict[str, int]:
    """Two warehouses and four products; ids by code."""
    goods = [
        product("A1", "蓝色弹珠", spec="Φ16"),
        product("A2", "红色弹珠"),
        product("B1", "Steel rod 100%"),
        product("B2", "钢管"),
    ]
    places = [warehouse("W1", "主仓"), warehouse("W2", "分仓")]
    with write(empty) as connection:
        stored = [
            each
            for group in (goods, places)
            for each in documents.insert_many(
                connection, tables, group, [searchable(tables.forms[one.form].form, one) for one in group], AT
            )
        ]
    return {str(each.values["code"]): each.id for each in stored if each.id is not None}


def test_a_document_comes_back_as_it_went_in(empty: Database, tables: AppTables, stocked: dict[str, int]):
    draft = stock_in("IN1", stocked["W1"], [(stocked["A1"], "2.5", "3.333333"), (stocked["A2"], "1", "0.01")])
    lines = (
        replace(draft.lines["lines"][0], source=SourceLine(form="order", document=9, line=4)),
        draft.lines["lines"][1],
    )
    with write(empty) as connection:
        stored = documents.insert(connection, tables, replace(draft, lines={"lines": lines}), "in1", AT)
    with read(empty) as connection:
        loaded = documents.load(connection, tables, "stock_in", stored.id)
        many = documents.load_many(connection, tables, "stock_in", [stored.id, stored.id, 10**9])
        assert documents.load(connection, tables, "stock_in", 10**9) is None
    assert loaded == stored
    assert many == {stored.id: stored}
    assert (stored.version, stored.created_at, stored.status) == (1, AT, DocStatus.DRAFT)
    assert loaded.lines["lines"][0].source == SourceLine(form="order", document=9, line=4)
    assert loaded.lines["lines"][0].values["price"] == Decimal("3.333333")
    assert [line.number for line in loaded.lines["lines"]] == [1, 2]
    assert loaded.biz_date == date(2026, 1, 20)


def test_many_documents_go_in_together(empty: Database, tables: AppTables, stocked: dict[str, int]):
    drafts = [stock_in(f"IN{n}", stocked["W1"], [(stocked["A1"], str(n), "1")] * n) for n in range(1, 6)]
    with write(empty) as connection:
        stored = documents.insert_many(connection, tables, drafts, [""] * 5, AT, batch=77)
        assert documents.insert_many(connection, tables, [], [], AT) == ()
    with read(empty) as connection:
        loaded = documents.load_many(connection, tables, "stock_in", [each.id for each in stored])
    assert [loaded[each.id] for each in stored] == list(stored)
    ids = [each.id for each in stored] + [line.id for each in stored for line in each.lines["lines"]]
    assert len(set(ids)) == 5 + 15


def test_updating_writes_the_difference_and_counts_the_version(
    empty: Database, tables: AppTables, stocked: dict[str, int]
):
    draft = stock_in(
        "IN1", stocked["W1"], [(stocked["A1"], "1", "1"), (stocked["A2"], "2", "1"), (stocked["B1"], "3", "1")]
    )
    with write(empty) as connection:
        old = documents.insert(connection, tables, draft, "in1", AT)
        first, _, third = old.lines["lines"]
        kept = (
            replace(third, number=1),
            replace(first, number=2, values={**first.values, "qty": Decimal(9)}),
            replace(first, id=None, number=3),
        )
        new = replace(
            old,
            status=DocStatus.APPROVED,
            approver=3,
            approved_at=AT,
            values={**old.values, "note": "改"},
            lines={"lines": kept},
        )
        stored = documents.update(connection, tables, old, new, None, AT, modifier=3)
    with read(empty) as connection:
        loaded = documents.load(connection, tables, "stock_in", old.id)
        header = tables.forms["stock_in"].header
        row = connection.execute(header.select()).mappings().one()
    assert loaded == stored
    assert stored.version == 2 and loaded.values["note"] == "改" and loaded.status is DocStatus.APPROVED
    assert [line.id for line in loaded.lines["lines"]][:2] == [third.id, first.id]
    assert loaded.lines["lines"][1].values["qty"] == 9
    assert loaded.lines["lines"][2].id not in {line.id for line in old.lines["lines"]}
    assert (row["modifier"], row["submitted_at"], row["search"]) == (3, AT, "in1")


def test_a_stale_version_is_refused(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with write(empty) as connection:
        old = documents.load(connection, tables, "product", stocked["A1"])
        documents.update(connection, tables, old, replace(old, values={**old.values, "name": "甲"}), None, AT)
    with pytest.raises(Refused) as refused, write(empty) as connection:
        documents.update(connection, tables, old, replace(old, values={**old.values, "name": "乙"}), None, AT)
    assert (refused.value.kind, refused.value.problems[0].code) == ("conflict", "document.stale")
    with pytest.raises(Refused, match="stale"), write(empty) as connection:
        documents.delete(connection, tables, old)


def test_a_unique_key_is_refused_in_the_words_of_the_form(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with pytest.raises(Refused) as refused, write(empty) as connection:
        documents.insert(connection, tables, product("A1", "另一个"), "", AT)
    (found,) = refused.value.problems
    assert (refused.value.kind, found.code, found.where) == ("conflict", "storage.duplicate", "code")
    assert found.params["field"].zh == "商品编码"
    with pytest.raises(Refused) as refused, write(empty) as connection:
        documents.insert_many(connection, tables, [stock_in("N", stocked["W1"], [])] * 2, ["", ""], AT)
    assert refused.value.problems[0].code == "storage.duplicate_number"
    with read(empty) as connection:
        assert documents.find_ids(connection, tables, "stock_in", "number", ["N"]) == {}


def test_marking_leaves_the_version_alone(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with write(empty) as connection:
        stored = documents.insert(connection, tables, stock_in("IN1", stocked["W1"], []), "", AT)
        documents.mark(connection, tables, "stock_in", stored.id, exec_status="partial")
        loaded = documents.load(connection, tables, "stock_in", stored.id)
    assert loaded == replace(stored, exec_status=ExecStatus.PARTIAL)


def test_deleting_takes_the_lines_and_leaves_the_history(empty: Database, tables: AppTables, stocked: dict[str, int]):
    act = {"form": "stock_in", "version": 1, "at": AT, "user": 7, "user_name": "王"}
    with write(empty) as connection:
        stored = documents.insert(
            connection, tables, stock_in("IN1", stocked["W1"], [(stocked["A1"], "1", "1")]), "", AT
        )
        approved = documents.insert(
            connection, tables, replace(stock_in("IN2", stocked["W1"], []), status=DocStatus.APPROVED), "", AT
        )
        history.append(
            connection, [history.HistoryRow(document=stored.id, action="create", changes={"qty": [None, "1"]}, **act)]
        )
        documents.delete(connection, tables, stored)
        history.append(connection, [history.HistoryRow(document=stored.id, action="delete", reason="错单", **act)])
        with pytest.raises(Refused, match=r"storage\.not_deletable"):
            documents.delete(connection, tables, approved)
    with read(empty) as connection:
        assert documents.load(connection, tables, "stock_in", stored.id) is None
        assert connection.execute(tables.forms["stock_in"].lines["lines"].select()).all() == []
        acts = history.of(connection, "stock_in", stored.id)
    assert [(each.action, each.reason, dict(each.changes)) for each in acts] == [
        ("create", "", {"qty": (None, "1")}),
        ("delete", "错单", {}),
    ]


def test_rows_hold_the_fields_that_were_asked_for(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with read(empty) as connection:
        rows = documents.load_rows(
            connection,
            tables,
            "product",
            [stocked["A1"], stocked["B1"]],
            {"name", "safety_stock", "doc_status", "version"},
        )
        with pytest.raises(KeyError):
            documents.load_rows(connection, tables, "product", [1], {"nothing"})
    assert set(rows) == {stocked["A1"], stocked["B1"]}
    assert rows[stocked["A1"]].id == stocked["A1"]
    assert dict(rows[stocked["A1"]].values) == {
        "name": "蓝色弹珠",
        "safety_stock": 0,
        "doc_status": "active",
        "version": 1,
    }


def test_natural_keys_are_found_in_one_query(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with read(empty) as connection:
        assert documents.find_ids(connection, tables, "product", "code", ["A1", "B2", "C9", None]) == {
            "A1": stocked["A1"],
            "B2": stocked["B2"],
        }
        pairs = documents.find_keys(
            connection, tables, "product", ("code", "name"), [("A2", "红色弹珠"), ("A1", "红色弹珠")]
        )
        assert pairs == {("A2", "红色弹珠"): stocked["A2"]}
        names = documents.display_names(connection, tables, "product", [stocked["A1"], stocked["B1"], 10**9])
    assert names == {stocked["A1"]: "A1 蓝色弹珠", stocked["B1"]: "B1 Steel rod 100%"}


SEARCHES = [
    ("a1", ["A1"]),
    ("弹珠", ["A1", "A2"]),
    ("lansedanzhu", ["A1"]),
    ("lsdz", ["A1"]),
    ("hsdz", ["A2"]),
    ("danzhu a2", ["A2"]),
    ("100%", ["B1"]),
    ("_", []),
    ("STEEL", ["B1"]),
    ("gg", ["B2"]),
    ("", ["A1", "A2", "B1", "B2"]),
]


def test_a_record_is_found_by_code_name_and_pinyin(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with read(empty) as connection:
        for text, expected in SEARCHES:
            found = documents.look_up(connection, tables, "product", text)
            assert [match.values["code"] for match in found] == expected, text


def test_a_look_up_leaves_out_what_can_no_longer_be_chosen(empty: Database, tables: AppTables, stocked: dict[str, int]):
    header = tables.forms["product"].header
    with write(empty) as connection:
        old = documents.load(connection, tables, "product", stocked["A1"])
        documents.update(connection, tables, old, replace(old, status=DocStatus.DISABLED), None, AT)
        found = documents.look_up(connection, tables, "product", "弹珠")
        limited = documents.look_up(connection, tables, "product", "", header.c.f_code != "A2", limit=1)
    assert [match.display for match in found] == ["A2 红色弹珠"]
    assert [match.display for match in limited] == ["B1 Steel rod 100%"]


def test_search_text_reads_as_people_type_it():
    assert search_text(["A1", "蓝色弹珠"]) == "a1 蓝色弹珠 lansedanzhu lsdz lstz"
    assert search_text(["Bolt M8"]) == "bolt m8"
    assert search_text(["重庆火锅"]) == "重庆火锅 chongqinghuoguo cqhg"
    assert search_text(["绿茶"]) == "绿茶 lvcha lc"


def test_what_is_referred_to_is_known(empty: Database, tables: AppTables, stocked: dict[str, int]):
    with write(empty) as connection:
        documents.insert(connection, tables, stock_in("IN1", stocked["W1"], [(stocked["A1"], "1", "1")]), "", AT)
        assert documents.referring_forms(connection, tables, "product", stocked["A1"]) == ("stock_in",)
        assert documents.referring_forms(connection, tables, "warehouse", stocked["W1"]) == ("stock_in",)
        assert documents.referring_forms(connection, tables, "product", stocked["A2"]) == ()


def test_links_are_found_from_both_ends_and_chained(empty: Database):
    rows = [
        links.Link(
            source_form=source, source_id=a, source_line=a * 10, target_form=target, target_id=b, target_line=b * 10,
            quantity=Decimal("1.5"),
        )
        for source, a, target, b in (
            ("request", 1, "order", 2), ("order", 2, "receipt", 3), ("order", 2, "receipt", 4),
            ("receipt", 3, "return", 5),
        )
    ]  # fmt: skip
    with write(empty) as connection:
        links.add(connection, rows)
        links.set_state(connection, "receipt", 4, "dropped")
        assert links.of_source(connection, "order", []) == ()
        assert [(each.target_id, each.state) for each in links.of_source(connection, "order", [20])] == [
            (3, "open"),
            (4, "dropped"),
        ]
        assert links.of_target(connection, "receipt", 3) == (rows[1],)
        assert [(n.form, n.document, n.level) for n in links.chain(connection, "order", 2)] == [
            ("request", 1, -1), ("receipt", 3, 1), ("return", 5, 2),
        ]  # fmt: skip
        links.remove(connection, "receipt", 3)
        assert links.of_target(connection, "receipt", 3) == ()
