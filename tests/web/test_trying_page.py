"""试一下 in the settings: for administrators, in both languages, with every mistake at its place."""

from __future__ import annotations

import re

import pytest

from runtime.house import House
from runtime.web.routes import trying
from tests.web.conftest import ROOT, SignIn, csrf_of, receive, words_of

TRY = f"{ROOT}/settings/try"
FLOW = """workflow: receipt
label: {zh: 入库审批, en: Receipt approval}
form: stock_in
steps:
  - branch:
      - when: "sum(lines.qty) > 5"
        label: {zh: 大批, en: Large}
        steps:
          - approve: keeper
            label: {zh: 仓管审批, en: Keeper approves}
            by: {role: keeper}
"""


def test_a_draft_on_a_document(house: House, sign_in: SignIn) -> None:
    number = receive(house, "A001", "10", "save")
    admin = sign_in("admin")
    sent = {"csrf": csrf_of(admin), "draft": FLOW, "document": str(number)}
    answer = admin.post(f"{TRY}/document", data=sent)
    assert answer.status_code == 200
    assert re.findall(r'data-step="(\w+)"', answer.text) == ["submit", "condition", "asked", "end"]
    said = words_of(answer.text)
    for expected in (
        "大批 sum(lines.qty) &gt; 5",
        "sum(lines.qty) = 10",
        "仓管审批",
        "审批通过",
        "未保存、未通知任何人",
    ):
        assert expected in said


def test_a_draft_over_a_period_in_english(house: House, sign_in: SignIn) -> None:
    for quantity in ("1", "10", "20"):
        receive(house, "A001", quantity)
    mary = sign_in("mary")
    sent = {"csrf": csrf_of(mary), "draft": FLOW, "from": "2026-01-01", "until": "2026-01-31"}
    answer = mary.post(f"{TRY}/period", data=sent)
    said = words_of(answer.text)
    assert "Looked at 3 documents; 2 would have gone differently." in said
    assert "times more: 2 instead of 0." in said
    answer = mary.post(f"{TRY}/period", data=sent | {"from": "2025-01-01", "until": "2025-01-31"})
    said = words_of(answer.text)
    assert "There are no documents to replay in this period." in said
    assert "Looked at" not in said


def test_a_period_with_too_many_documents_says_so_and_always_begins_anew(
    house: House, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "AT_ONCE", 2)
    for quantity in ("1", "10", "20"):
        receive(house, "A001", quantity)
    mary = sign_in("mary")
    sent = {"csrf": csrf_of(mary), "draft": FLOW, "from": "2026-01-01", "until": "2026-01-31"}
    answer = mary.post(f"{TRY}/period", data=sent)
    assert "Only the first 2 documents of the period were looked at." in words_of(answer.text)
    assert 'name="after"' not in answer.text, "the totals are never those of a part in the middle"
    answer = mary.post(f"{TRY}/period", data=sent | {"draft": FLOW.replace("> 5", "> 15")})
    assert "Looked at 2 documents; 0 would have gone differently." in words_of(answer.text)


def test_mistakes_keep_what_was_typed(house: House, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    sent = {"csrf": csrf_of(admin), "draft": FLOW.replace("stock_in", "stock_inn"), "document": "1"}
    answer = admin.post(f"{TRY}/document", data=sent)
    assert answer.status_code == 422
    assert "workflows/receipt.yaml:3:" in answer.text and "form: stock_inn" in answer.text
    answer = admin.post(f"{TRY}/period", data=sent | {"draft": FLOW, "from": "soon", "until": "2026-01-31"})
    assert answer.status_code == 422 and "YYYY-MM-DD" in answer.text


def test_the_published_text_is_loaded(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    page = admin.get(TRY, params={"file": "rules/safety_stock.yaml"})
    assert "available &lt; product.safety_stock" in page.text and "安全库存预警" in page.text
    assert 'aria-current="true"' in page.text
    assert "forms/" not in admin.get(TRY, params={"file": "forms/product.yaml"}).text


def test_others_are_refused(sign_in: SignIn) -> None:
    keeper = sign_in("keeper")
    assert keeper.get(TRY).status_code == 403
    sent = {"csrf": csrf_of(keeper), "draft": FLOW, "document": "1"}
    assert keeper.post(f"{TRY}/document", data=sent).status_code == 403
