"""Files, imports, the outbox, snapshots' neighbours: what stands beside documents and ledgers."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.document import Document
from engine.problems import Refused
from runtime.storage import alerts, audit, documents, files, imports, orphans, outbox, preferences
from runtime.storage.app_tables import AppTables, app_tables
from runtime.storage.database import Database, read, write
from tests.contracts.storage_contract import AT, bundle_from, changed, product, tiny_files


def test_a_file_comes_back_byte_by_byte_under_an_id_nobody_chose(empty: Database, tmp_path):
    content = [b"\x00\xff" * 1000, b"end"]
    with write(empty) as connection:
        stored = files.save(
            connection,
            tmp_path,
            name="../../etc/合同\x00.pdf",
            media_type="application/pdf",
            content=content,
            creator=3,
            at=AT,
        )
        assert files.get(connection, stored.id) == stored
        assert files.get_many(connection, [stored.id, "x"]) == {stored.id: stored}
        assert files.get(connection, "0" * 32) is None
    assert (stored.name, stored.size) == ("合同.pdf", 2003)
    with files.open_bytes(tmp_path, stored.id) as opened:
        assert opened.read() == b"".join(content)
    assert [
        path.relative_to(tmp_path).parts for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ""
    ] == [(stored.id[:2], stored.id)]


@pytest.mark.parametrize("bad", ["", "..", "../../etc/passwd", "0" * 31, "0" * 32 + "/", "G" * 32, "0" * 32 + "\n"])
def test_what_cannot_be_an_id_opens_nothing(tmp_path, bad: str):
    with pytest.raises(Refused, match=r"storage\.file_missing") as refused:
        files.open_bytes(tmp_path, bad)
    assert refused.value.kind == "missing"


def test_a_file_beyond_the_limit_leaves_nothing(empty: Database, tmp_path):
    with pytest.raises(Refused, match=r"storage\.file_too_large"), write(empty) as connection:
        files.save(
            connection, tmp_path / "f", name="a", media_type="x", content=[b"1" * 600] * 2, creator=1, at=AT, limit=1024
        )
    assert not [path for path in (tmp_path / "f").rglob("*") if path.is_file()]


def test_shown_names_are_harmless():
    assert files.shown_name("C:\\a\\b.xlsx") == "b.xlsx"
    assert files.shown_name("‮gpj.exe") == "gpj.exe"
    assert files.shown_name("...") == "file"
    assert files.shown_name("长" * 500 + ".pdf") == "长" * 196 + ".pdf"


def test_files_nobody_refers_to_are_swept(empty: Database, tmp_path):
    bundle = bundle_from(
        changed(
            tiny_files(),
            "forms/product.yaml",
            ("  spec: {type: text,", "  photo: {type: image, label: 图片}\n  spec: {type: text,"),
        )
    )
    tables = app_tables(bundle)
    with write(empty) as connection:
        tables.metadata.create_all(connection)
        used, unused, fresh = (
            files.save(connection, tmp_path, name="a", media_type="x", content=[b"1"], creator=1, at=at).id
            for at in (AT, AT, AT + timedelta(days=2))
        )
        photo = (used,)
        documents.insert(connection, tables, product("A1", "甲", photo=photo), "", AT)
        stray = tmp_path / "ab" / ("ab" + "0" * 30)
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"1")
        old = (AT - timedelta(days=1)).timestamp()
        os.utime(stray, (old, old))
        later = AT + timedelta(days=1)
        assert orphans.orphans(connection, tables, AT, 9) == ()
        assert orphans.orphans(connection, tables, later, 0) == ()
        assert orphans.orphans(connection, tables, later, 9) == (unused,)
        assert orphans.forget(connection, [unused]) == 1
        orphans.delete_bytes(tmp_path, [unused])
        assert orphans.delete_strays(connection, tmp_path, later, 0) == 0
        assert orphans.delete_strays(connection, tmp_path, later, 9) == 1
        assert files.get(connection, unused) is None and files.get(connection, used) and files.get(connection, fresh)
    assert (
        not stray.exists() and not files.path_of(tmp_path, unused).exists() and files.path_of(tmp_path, used).exists()
    )


def test_an_import_is_counted_remembered_and_taken_back_from_the_end(empty: Database):
    run = imports.ImportRun(
        form="product", file_name="商品.xlsx", file_hash="h", mode="upsert", created_by=1, created_at=AT,
        mapping={"编码": "code"}, options={"sheet": "1"},
    )  # fmt: skip
    with write(empty) as connection:
        number = imports.start(connection, run)
        imports.set_state(connection, number, "running")
        rows = [imports.ImportedRow(row=n, document=n * 10, action="created") for n in range(2, 6)]
        rows.append(imports.ImportedRow(row=6, document=5, action="updated", before={"name": "旧"}))
        imports.note_rows(connection, number, rows)
        imports.count(connection, number, total=5, done=5, created=4, updated=1)
        imports.set_state(connection, number, "done", at=AT)
        assert imports.get(connection, number) == replace(
            run, id=number, state="done", total=5, done=5, created=4, updated=1, finished_at=AT
        )
        assert [each.id for each in imports.of_file(connection, "product", "h")] == [number]
        first = imports.rows_of(connection, number, limit=2)
        assert [each.row for each in first] == [6, 5] and dict(first[0].before) == {"name": "旧"}
        assert [each.row for each in imports.rows_of(connection, number, before_row=5)] == [4, 3, 2]
        imports.forget_rows(connection, number)
        imports.set_state(connection, number, "undone", at=AT)
        assert imports.rows_of(connection, number) == () and imports.of_file(connection, "product", "h") == ()
        assert [each.state for each in imports.latest(connection, "product")] == ["undone"]
        with pytest.raises(ValueError, match="state"):
            imports.count(connection, number, state=1)
        assert imports.saved_mapping(connection, "product", "sig") is None
        imports.save_mapping(connection, "product", "sig", {"a": "code"})
        imports.save_mapping(connection, "product", "sig", {"a": "name"})
        assert imports.saved_mapping(connection, "product", "sig") == {"a": "name"}


def test_the_outbox_keeps_a_row_open_until_it_is_done(empty: Database):
    row = outbox.OutboxRow(
        kind="notify", payload={"title": {"zh": "你好"}}, form="order", document=1, created_at=AT, user=2
    )
    with write(empty) as connection:
        first, second, third = outbox.add(connection, [row, row, row])
        assert outbox.add(connection, []) == ()
        outbox.mark_handed(connection, [first, second], AT)
        assert [each.id for each in outbox.pending(connection)] == [third]
        assert [each.id for each in outbox.pending(connection, handed_before=AT + timedelta(minutes=5))] == [
            first,
            second,
            third,
        ]
        outbox.mark_done(connection, first, AT)
        outbox.failed(connection, second, "no such host")
        outbox.failed(connection, second, "no such host", given_up_at=AT)
        kept = outbox.get(connection, second)
        assert (kept.attempts, kept.error, kept.done_at) == (2, "no such host", AT)
        assert outbox.remove_done(connection, AT + timedelta(days=1)) == 1
        assert [each.id for each in outbox.pending(connection)] == [third]
        assert outbox.get(connection, third) == replace(row, id=third)


def test_alerts_preferences_and_the_security_log(empty: Database):
    with write(empty) as connection:
        alerts.open_alerts(connection, [("low", "1"), ("low", "2")], AT)
        alerts.close_alerts(connection, [("low", "1")], AT)
        assert alerts.open_of(connection, ["low"], ["1", "2", "3"]) == {("low", "2")}
        alerts.open_alerts(connection, [("low", "1")], AT)
        assert alerts.open_of(connection, ["low"], ["1"]) == {("low", "1")}
        preferences.save(connection, 1, "list.order", ["number"])
        preferences.save(connection, 1, "list.order", ["number", "total"])
        assert preferences.get(connection, 1, "list.order") == ("number", "total")
        assert preferences.get(connection, 2, "list.order") is None
        audit.note(connection, AT, None, "sign_in_failed", {"login": "x"})
        (event,) = audit.latest(connection)
        assert (event["event"], event["user"], dict(event["detail"])) == ("sign_in_failed", None, {"login": "x"})


def test_values_of_every_shape_come_back(empty: Database, tables: AppTables):
    full = product("K1", "全", spec=None, safety_stock=None, cost=None)
    with write(empty) as connection:
        stored: Document = documents.insert(connection, tables, full, "", AT)
    with read(empty) as connection:
        assert documents.load(connection, tables, "product", stored.id) == stored
