"""The document page over HTTP: what it shows to whom, what it answers to its scripts, and what it refuses."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.built_in import built_in_kinds
from runtime.app import create_app
from runtime.facade import accounts, documents
from runtime.facade.views import CellView, FieldView
from runtime.messages.catalogue import Catalogue
from runtime.web.document_page import Place
from runtime.web.links import Links
from tests.browser.company import APP, PASSWORD, WORKSPACE, Company, found

ROOT = f"/w/{WORKSPACE}/{APP}"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
Client = Callable[[str], "Person"]


class Person:
    """Somebody signed in, with the token their pages carry."""

    def __init__(self, client: TestClient, login: str) -> None:
        self.client = client
        page = client.get(f"/w/{WORKSPACE}/login").text
        entrance = re.search(r'name="entrance" value="([^"]+)"', page)
        assert entrance is not None
        client.post(
            f"/w/{WORKSPACE}/login",
            data={"login": login, "password": PASSWORD, "entrance": entrance[1], "back": ""},
            follow_redirects=False,
        )
        self.token = html.unescape(re.findall(r'data-csrf="([^"]*)"', client.get(f"{ROOT}/home").text)[0])

    def page(self, path: str) -> str:
        """A page that must be there."""
        answer = self.client.get(f"{ROOT}/{path}")
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    def setup(self, path: str) -> dict[str, Any]:
        """What the page hands to its scripts."""
        text = re.search(r'data-setup="([^"]*)"', self.page(path))
        assert text is not None
        return dict(json.loads(html.unescape(text[1])))

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"{ROOT}/{path}", params=query, headers={"Accept": "application/json"})

    def post(self, path: str, body: object, token: str | None = None) -> Any:
        """JSON as the scripts send it."""
        headers = {"Accept": "application/json", "X-CSRF-Token": self.token if token is None else token}
        return self.client.post(f"{ROOT}/{path}", json=body, headers=headers)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Company]:
    made = found(tmp_path_factory.mktemp("company"), catalogue)
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def person(company: Company) -> Client:
    """``person("buyer")`` signed in; everybody has a client of their own."""
    app = create_app(company.settings, company.house)
    known: dict[str, Person] = {}

    def enter(login: str) -> Person:
        if login not in known:
            known[login] = Person(TestClient(app), login)
        return known[login]

    return enter


def test_a_blank_document_has_its_defaults_and_one_primary_action(person: Client) -> None:
    page = person("buyer").page("purchase_order/new")
    assert page.count("strip-primary") == 1
    setup = person("buyer").setup("purchase_order/new")
    assert setup["document"]["header"]["arrive_date"] == ["2026-03-02", "2026-03-02"]
    assert setup["document"]["header"]["buyer"][1] == "李采购"
    assert "doc_total" not in setup["document"]["editable"]
    assert setup["fields"]["lines.product"]["fills"] == ["last_price", "price", "tax_rate", "unit"]


def test_what_a_person_may_not_see_is_nowhere_on_the_page(person: Client, company: Company) -> None:
    order = company.order(2, "submit")
    page = person("keeper").page(f"purchase_order/{order}")
    assert not [word for word in ("¥", "doc_total", "last_price", "单价", "68.00") if word in page]
    answer = person("keeper").post("purchase_order/preview", {"id": order, "values": {}, "lines": {}})
    assert "price" not in answer.text and "amount" not in answer.text
    assert person("sales").get(f"purchase_order/{order}").status_code == 404


def test_a_preview_computes_and_stores_nothing(person: Client, company: Company) -> None:
    buyer = person("buyer")
    lines = [{"product": "P002", "qty": "12"}, {"product": "没有", "qty": "x"}]
    answer = buyer.post("purchase_order/preview", {"values": {"supplier": "S01"}, "lines": {"lines": lines}})
    told = answer.json()
    assert told["header"]["settle_method"] == ["monthly", "月结"]
    assert told["tables"]["lines"][0]["cells"]["amount"] == ["78", "¥78.00"]
    assert {one["where"] for one in told["problems"]} == {"lines.2.product", "lines.2.qty"}
    assert all(one["text"] for one in told["problems"])
    assert told["id"] is None


def test_saving_answers_with_fresh_parts_of_the_page(person: Client) -> None:
    lines = [{"product": "P001", "qty": "3"}]
    body = {"action": "save", "values": {"supplier": "S01", "warehouse": "W1"}, "lines": {"lines": lines}}
    told = person("buyer").post("purchase_order/save", body).json()
    assert told["address"].endswith(f"/purchase_order/{told['id']}")
    assert told["number"] in told["parts"]["strip"] and 'id="panel-history"' in told["parts"]["side"]
    assert told["document"]["tables"]["lines"][0]["id"]


def test_a_stale_version_says_who_was_faster(person: Client, company: Company) -> None:
    order = company.order(1)
    change = {"id": order, "action": "save", "version": 1, "values": {"contract_no": "A"}, "lines": {}}
    assert person("buyer").post("purchase_order/save", change).status_code == 200
    answer = person("buyer").post("purchase_order/save", {**change, "values": {"contract_no": "B"}})
    assert answer.status_code == 409
    assert answer.json()["stale"] is True and answer.json()["latest"]["user"] == "李采购"


def test_the_same_key_does_the_same_thing_once(person: Client) -> None:
    lines = [{"product": "P001", "qty": "3"}]
    body = {
        "action": "submit",
        "values": {"supplier": "S01", "warehouse": "W1"},
        "lines": {"lines": lines},
        "idempotency_key": "one key",
    }
    first, second = (person("buyer").post("purchase_order/save", body).json() for _ in range(2))
    assert first["id"] == second["id"]


def test_a_request_without_its_token_is_refused(person: Client) -> None:
    body = {"action": "save", "values": {"supplier": "S01"}, "lines": {}}
    assert person("buyer").post("purchase_order/save", body, token="").status_code == 403
    assert person("buyer").post("purchase_order/preview", {}, token="guessed").status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"values": []},
        {"values": {}, "lines": {"lines": "x"}},
        {"values": {}, "lines": {"lines": [1]}},
        {"id": "one", "values": {}},
        {"nonsense": 1},
    ],
)
def test_a_malformed_request_gets_its_sentence(person: Client, body: object) -> None:
    answer = person("buyer").post("purchase_order/preview", body)
    assert answer.status_code == 422
    assert CHINESE.search(answer.json()["problems"][0]["text"])


@pytest.mark.parametrize(
    "values",
    [
        {"arrive_date": "2026-02-30"},
        {"supplier": 999_999},
        {"supplier": "没有"},
        {"no_such_field": 1},
        {"credit_days": "1" * 400},
        {"doc_total": "1"},
        {"buyer": {"id": -1}},
        {"biz_date": "soon"},
    ],
)
def test_bad_input_is_told_at_its_field_and_nothing_is_stored(
    person: Client, company: Company, values: dict[str, object]
) -> None:
    body = {"action": "save", "values": {"warehouse": "W1", **values}, "lines": {}}
    answer = person("buyer").post("purchase_order/save", body)
    if "doc_total" in values:  # what is computed is not read
        assert answer.json()["document"]["header"]["doc_total"][0] in (None, "0")
        return
    assert answer.status_code in (403, 422)
    assert {one["where"] for one in answer.json()["problems"]} == {next(iter(values))}


@pytest.mark.parametrize(
    ("field", "text", "hit"),
    [
        ("lines.product", "P003", "P003 白砂糖"),
        ("lines.product", "bst", "P003 白砂糖"),
        ("lines.product", "baisha", "P003 白砂糖"),
        ("lines.product", "砂糖", "P003 白砂糖"),
        ("buyer", "李", "李采购"),
        ("supplier", "luhua", "S02 鲁花粮油"),
    ],
)
def test_look_ups_find_by_code_name_and_pinyin(person: Client, field: str, text: str, hit: str) -> None:
    told = person("buyer").get("purchase_order/lookup", field=field, q=text).json()
    assert hit in [name for _, name, _ in told["hits"]]


def test_a_look_up_of_an_unknown_or_hidden_field_finds_nothing(person: Client) -> None:
    assert person("buyer").get("purchase_order/lookup", field="nothing", q="").status_code == 404
    assert person("keeper").get("purchase_order/lookup", field="lines.price", q="").status_code == 404


def test_pages_that_are_not_there(person: Client, company: Company) -> None:
    buyer = person("buyer")
    for path in (
        "purchase_order/999999",
        "purchase_order/x",
        "nothing/new",
        "purchase_receipt/new?from=purchase_order",
    ):
        assert buyer.client.get(f"{ROOT}/{path}").status_code == 404, path
    assert buyer.client.get(f"{ROOT}/product/new").status_code == 403
    draft = company.order(1)
    answer = buyer.client.get(f"{ROOT}/purchase_receipt/new?from=purchase_order:{draft}")
    assert answer.status_code == 409 and "未审核" in answer.text


def test_a_push_down_is_prefilled_and_carries_its_source(person: Client, company: Company) -> None:
    order = company.order(2, "submit")
    company.do("manager", "purchase_order", "approve", document=order)
    setup = person("keeper").setup(f"purchase_receipt/new?from=purchase_order:{order}")
    line = setup["document"]["tables"]["lines"][0]
    assert setup["pushed"] and line["cells"]["qty"][0] == "10"
    assert line["source"]["form"] == "purchase_order" and line["source"]["document"] == order
    page = person("keeper").page(f"purchase_receipt/new?from=purchase_order:{order}")
    number = documents.read(company.door("keeper"), "purchase_order", order).number
    assert number in page


def test_the_english_page_speaks_english(person: Client, company: Company) -> None:
    order = company.order(1, "submit")
    accounts.set_language(company.door("manager"), "en")
    page = person("manager").page(f"purchase_order/{order}")
    accounts.set_language(company.door("manager"), "zh")
    body = page[page.index('id="document"') : page.index('id="doc-lookup"')]
    shown = re.sub(r"<[^>]*>", " ", body)
    names = ("李采购", "北大仓米业", "总仓", "袋", "五常大米", "张经理")  # data, not words of the interface
    for name in names:
        shown = shown.replace(name, "")
    assert CHINESE.findall(shown) == []
    assert "Approve" in shown and "Pending" in shown


VALUES: dict[str, object] = {
    "choice": "a",
    "multi_choice": ["a"],
    "boolean": True,
    "date": "2026-03-02",
    "datetime": "2026-03-02T08:00:00",
    "address": {"city": "杭州", "detail": "文三路 1 号"},
    "attachment": ["f1"],
    "image": ["f2"],
}
OPTIONS: dict[str, object] = {
    "choices": {"a": "甲", "b": "乙"},
    "true_label": "是",
    "false_label": "否",
    "accept": ["pdf"],
    "max_length": 20,
    "seconds": False,
    "min": None,
    "max": None,
}


@pytest.mark.parametrize("editable", [True, False])
@pytest.mark.parametrize("name", sorted(built_in_kinds().field_types.keys() - {"lines"}))
def test_every_field_type_can_be_typed_and_read(company: Company, name: str, editable: bool) -> None:
    """A field type without its template would break the page of every form that uses it."""
    site = create_app(company.settings, company.house).state.site
    kind = company.house.kinds.field_types[name]
    field = FieldView(
        key="f",
        path="f",
        table="",
        label="字段",
        type_name=name,
        widget=kind.widget,
        access="write",
        required=True,
        computed=False,
        help="怎么填",
        options=OPTIONS,
        width=0,
        fills=False,
        tags=(),
        operators=(),
        numeric=name in ("money", "price"),
    )
    place = Place(field=field, cell=CellView(value=VALUES.get(name, "1"), text="显示"), editable=editable)
    shown = site.templates.get_template("document/field.html").render(
        place=place,
        t=lambda key, **more: site.catalogue.ui(key, "zh", **more),
        icon=lambda *_: "",
        links=Links(WORKSPACE, APP),
        file_names={},
    )
    typed = 'data-path="f"' in shown
    assert typed is (editable and kind.widget != "readonly")
    assert "怎么填" in shown


def test_every_form_opens_for_whoever_may_create_it(person: Client, company: Company) -> None:
    opened = set()
    for login in ("buyer", "keeper", "storehead", "finance", "sales", "data"):
        door = company.door(login)
        for key, form in company.house.published(door.workspace).bundle.forms.items():
            if door.may(form, "create") and key not in opened:
                person(login).page(f"{key}/new")
                opened.add(key)
    assert len(opened) > 15


def test_a_draft_plan_offers_to_bring_in_what_is_in_stock(person: Client) -> None:
    head = person("storehead")
    goods = [{"product": "P003", "qty": "5"}, {"product": "P001", "qty": "5"}]
    body = {"action": "approve", "values": {"warehouse": "W1"}, "lines": {"lines": goods}}
    assert head.post("other_receipt/save", body).status_code == 200
    made = head.post("stocktake_plan/save", {"action": "save", "values": {"warehouse": "W1", "type": "full"}}).json()
    button = 'data-action="fetch:in_stock" data-label="带出库存商品"'
    assert button in made["parts"]["strip"] and "fetch:moved" not in made["parts"]["strip"]
    assert "fetch:" not in head.page("stocktake_plan/new"), "there is nothing to add lines to yet"
    wanted = {"id": made["id"], "action": "fetch:in_stock", "version": 1, "values": {"remark": "夜里盘"}}
    done = head.post("stocktake_plan/save", wanted).json()
    assert (done["said"], done["did"][0]) == ("已保存", f"带出 {len(products(head, made['id']))} 种商品")
    assert {"P001 五常大米", "P003 白砂糖"} <= set(products(head, made["id"]))
    refused = head.post("stocktake_plan/save", wanted | {"version": 2})
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (409, "document.nothing_to_fetch")


def products(person: Person, plan: int) -> list[str]:
    """What stands in the first column of the lines, in their order."""
    lines = person.setup(f"stocktake_plan/{plan}")["document"]["tables"]["lines"]
    return [line["cells"]["product"][1] for line in lines]
