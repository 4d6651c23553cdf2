"""Pages of rules, their log and dead ends: what they say, who may see them, and that nothing is asked row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from engine.built_in import built_in_kinds
from engine.definitions.bundle import read_bundle
from engine.definitions.compiled import AppBundle
from engine.effects import Audience, Notify, effect_json
from engine.labels import Label
from engine.problems import problem
from runtime.app import create_app
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, rule_log, rules
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.jobs.attempt import problems_json
from runtime.jobs.inline import InlineJobs
from runtime.messages.catalogue import load_catalogue
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.storage import outbox, rule_runs, tags
from runtime.storage.database import Connection, in_transaction, read
from runtime.storage.outbox import OutboxRow
from runtime.storage.rule_runs import RuleRun
from runtime.workspaces import create_workspace
from tests.web.conftest import NOW, PASSWORD, ROOT, TINY, XSS, csrf_of, entrance, receive, submit, words_of

RULES = f"{ROOT}/settings/rules"
LOG = f"{ROOT}/settings/rule-log"
DEAD = f"{ROOT}/settings/dead-ends"
BIG = """
rule: big_receipt
label: {zh: 大额入库, en: Big receipt}
when: {form: stock_in, on: [submit]}
if: "sum(lines.qty) > 100"
then:
  - tag: {zh: 大额, en: Big}
  - message: {to: {initiator: true}, title: {zh: "入库 {sum(lines.qty)}", en: "{sum(lines.qty)} received"}}
tests:
  - given: {lines: [{qty: 101}]}
    fires: true
  - given: {lines: [{qty: 1}]}
    fires: false
"""
IDLE = """
rule: idle
label: {zh: 停用的规则, en: Idle rule}
when: {form: stock_in, on: [approve]}
active: false
then:
  - tag: {zh: 不会出现, en: Never}
"""
BUTTON = """
rule: mark
label: {zh: 标记复核, en: Mark for review}
when: {form: stock_in, button: {zh: 要求复核, en: Ask for a review}}
then:
  - tag: {zh: 待复核, en: To review}
"""


@dataclass(kw_only=True)
class Place:
    """A served company with three more rules, and its jobs."""

    house: House
    jobs: InlineJobs

    def client(self, login: str) -> TestClient:
        """A browser signed in as somebody."""
        client = TestClient(create_app(self.house.settings, self.house), follow_redirects=False)
        answer = client.post("/w/acme/login", data=entrance(client) | {"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    def said(self, address: str, login: str = "admin") -> str:
        """What a page of the settings says below their tabs."""
        return words_of(self.client(login).get(address).text).partition(" 异常 ")[2]

    def work(self, change: Any) -> Any:
        """Something in a transaction of the company."""
        return in_transaction(self.house.workspace("acme").database, change)

    def note(self, *runs: RuleRun) -> None:
        """Add runs to the log."""
        self.work(lambda connection: rule_runs.add(connection, runs))

    def latest(self, **wanted: Any) -> tuple[RuleRun, ...]:
        """Runs in the log."""
        with read(self.house.workspace("acme").database) as connection:
            return rule_runs.latest(connection, **wanted)

    def lose(self, form: str = "", document: int | None = None) -> int:
        """An effect that was given up."""

        def work(connection: Connection) -> int:
            effect = Notify(to=Audience(roles=("keeper",)), title=Label("丢失的消息", "Lost"))
            row = OutboxRow(
                kind=effect.kind, payload=effect_json(effect), form=form, document=document, created_at=NOW,
                snapshot=self.house.published(self.house.workspace("acme")).bundle.hash,
            )  # fmt: skip
            [number] = outbox.add(connection, [row])
            outbox.failed(connection, number, "OSError: no way out", NOW)
            return number

        return int(self.work(work))


@pytest.fixture(scope="module")
def bundle() -> AppBundle:
    files, unread = read_definition_files(TINY)
    more = {"rules/big_receipt.yaml": BIG, "rules/idle.yaml": IDLE, "rules/mark.yaml": BUTTON}
    made, problems = read_bundle({**files, **more}, built_in_kinds())
    assert made is not None, (unread, problems)
    return made


@pytest.fixture
def place(tmp_path: Path, bundle: AppBundle) -> Iterator[Place]:
    settings = Settings(data_dir=tmp_path, test_mode=True)
    house, jobs = inline_house(settings, built_in_kinds(), load_catalogue(strict=True), clock=lambda: NOW)
    workspace = house.keep(create_workspace(settings, "acme"))
    house.apps.keep(bundle)
    publish(workspace.database, bundle, "test", NOW)
    for login, name, roles, language in (
        ("admin", "王总", ("keeper", "admin"), "zh"),
        ("keeper", "李仓管", ("keeper",), "zh"),
        ("mary", "Mary", ("keeper", "admin"), "en"),
    ):
        accounts.add_user(house, "acme", login=login, name=name, password=PASSWORD, roles=roles, language=language)
    submit(house, "warehouse", {"code": "W1", "name": "主仓"})
    submit(house, "product", {"code": "A001", "name": "纯净水", "safety_stock": "50", "cost": "2"})
    yield Place(house=house, jobs=jobs)
    house.close()


def failed(rule: str = "big_receipt", verdict: str = "failed", **more: Any) -> RuleRun:
    code = problem("expression.division_by_zero", column=1) if verdict == "failed" else None
    error = problems_json([code or problem("rule.loop_cut", limit=8, chain="a → b", rule=rule)])
    given: dict[str, Any] = {"trigger": "submit", "snapshot": "", "at": NOW, "error": error}
    return RuleRun(rule=rule, verdict=verdict, **given | more)


def send(client: TestClient, page: str, /, **fields: str) -> Any:
    """Send a form of our own page."""
    return client.post(page, data={"csrf": csrf_of(client), **fields})


def test_only_administrators_see_rules_and_what_became_of_them(place: Place) -> None:
    place.note(failed())
    lost = place.lose()
    keeper = place.client("keeper")
    for address in (RULES, f"{RULES}/big_receipt", LOG, f"{LOG}/1", DEAD):
        assert keeper.get(address).status_code == 403, address
    assert send(keeper, f"{DEAD}/{lost}/again").status_code == 403
    assert "异常" not in words_of(keeper.get(f"{ROOT}/home").text)


def test_the_list_tells_what_wakes_a_rule_and_how_often_it_fired(place: Place) -> None:
    month = NOW - timedelta(days=20)
    place.note(
        failed(), failed(at=NOW - timedelta(days=40)), RuleRun(rule="big_receipt", snapshot="", trigger="submit",
        at=month, verdict="fired"), RuleRun(rule="big_receipt", snapshot="", trigger="submit", at=NOW, verdict="fired"),
    )  # fmt: skip
    admin = place.client("admin")
    page = words_of(admin.get(RULES).text)
    assert "大额入库 入库单 提交时 启用 1 2 1 09:30" in page
    assert "安全库存预警 商品库存变化时 启用 0" in page
    assert "停用的规则 入库单 审核时 已停用" in page
    assert "标记复核 入库单 上按“要求复核”时" in page.replace("在 入库单", "入库单")


def test_a_rule_is_told_in_plain_words_with_its_source_and_tests(place: Place) -> None:
    page = place.client("admin").get(f"{RULES}/big_receipt").text
    said = words_of(page)
    assert "当 入库单 提交时 如果 合计(明细.数量) &gt; 100 那么 加标签“大额”" in said
    assert "给 提交人 发消息：入库 {合计(明细.数量)}" in said
    assert "触发 明细.数量 #1 = 101" in said and "不触发 明细.数量 #1 = 1" in said
    assert "还没有执行过" in said
    assert "if: &#34;sum(lines.qty) &gt; 100&#34;" in page
    english = words_of(place.client("mary").get(f"{RULES}/safety_stock").text)
    assert "When stock of a product changes" in english and "once while the condition holds" in english
    assert place.client("admin").get(f"{RULES}/nothing").status_code == 404


def test_a_run_shows_facts_the_way_of_the_condition_and_what_followed(place: Place) -> None:
    document = receive(place.house, "A001", "120")
    place.jobs.drain()
    [run] = place.latest(rule="big_receipt")
    said = place.said(f"{LOG}/{run.id}")
    assert "已触发" in said and "李仓管" in said
    assert re.search(r"明细\.数量 120 lines\.qty", said)
    assert "合计(明细.数量) &gt; 100 = 是" in said and "合计(明细.数量) = 120" in said
    assert "已执行 标签 大额" in said and "已执行 消息 入库 120 李仓管" in said
    assert f'href="{ROOT}/stock_in/{document}"' in place.client("admin").get(f"{LOG}/{run.id}").text
    assert place.client("admin").get(f"{LOG}/99999").status_code == 404


def test_a_refused_run_says_that_nothing_followed(place: Place) -> None:
    effect = effect_json(Notify(to=Audience(roles=("keeper",)), title=Label("没有发出", "Not sent")))
    chain = ("safety_stock", "gone_rule")
    place.note(failed(verdict="rejected", effects=(effect,), chain=chain, rule="gone_rule"))
    said = words_of(place.client("admin").get(f"{LOG}/1").text)
    assert "未执行（操作被拒绝） 消息 没有发出" in said
    assert "安全库存预警 → gone_rule → gone_rule" in said
    assert "已不在当前版本" in said


def test_what_only_the_trigger_knew_and_reruns_are_shown(place: Place) -> None:
    brought = {"payload": {"order": "SO1", "lines": [{"code": XSS}]}}
    place.note(failed(trigger="webhook", facts={"brought": brought}))
    place.note(failed(verdict="cut", rerun_of=1))
    page = place.client("admin").get(f"{LOG}/1").text
    assert "payload.order SO1" in place.said(f"{LOG}/1") and "payload.lines.1.code" in words_of(page)
    assert XSS not in page
    assert f'href="{LOG}/2"' in page and "重新执行的记录" in page
    assert f'href="{LOG}/1"' in place.client("admin").get(f"{LOG}/2").text


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 4),
        ("rule=big_receipt", 3),
        ("verdict=cut", 1),
        ("verdict=nonsense", 4),
        ("form=stock_in", 1),
        ("first=2026-01-20", 3),
        ("last=2026-01-19", 1),
        ("first=2026-01-10&last=2026-01-10", 1),
        ("first=nonsense&last=9999-12-31", 4),
        ("rule=idle&verdict=failed", 0),
    ],
)
def test_the_log_is_filtered(place: Place, query: str, rows: int) -> None:
    earlier = NOW - timedelta(days=10)
    place.note(failed(), failed(verdict="cut"), failed(rule="idle", verdict="fired", error=()))
    place.note(failed(at=earlier, form="stock_in", document=7))
    page = place.client("admin").get(f"{LOG}?{query}").text
    assert page.count("<tr data-open") == rows


def test_the_log_is_paged_by_key(place: Place) -> None:
    place.note(*(failed(key=str(number)) for number in range(60)))
    admin = place.client("admin")
    first = admin.get(f"{LOG}?verdict=failed").text
    assert first.count("<tr data-open") == 50
    older = re.search(r'href="([^"]+after=\d+[^"]*)"', first)
    assert older is not None and "verdict=failed" in older[1]
    second = admin.get(older[1].replace("&amp;", "&")).text
    assert second.count("<tr data-open") == 10
    assert set(re.findall(r'data-open="([^"]+)"', first)).isdisjoint(re.findall(r'data-open="([^"]+)"', second))


def test_dead_ends_are_counted_shown_at_home_and_solved(place: Place) -> None:
    admin = place.client("admin")
    assert "没有异常" in words_of(admin.get(DEAD).text)
    assert "件异常" not in words_of(admin.get(f"{ROOT}/home").text)
    document = receive(place.house, "A001", "1")
    about: dict[str, Any] = {"form": "stock_in", "document": document}
    place.note(failed(**about), failed(verdict="cut", rule="idle"), failed(at=NOW - timedelta(days=31)))
    lost = place.lose("stock_in", document)
    assert "有 3 件异常需要处理：规则 2，后续 1，作业 0，消息 0" in words_of(admin.get(f"{ROOT}/home").text)
    page = admin.get(DEAD).text
    assert page.count("<tr data-open") == 2
    assert "OSError: no way out" in page and f'data-effect="{lost}"' in page
    assert send(admin, f"{DEAD}/{lost}/again").status_code == 303
    place.jobs.drain()
    place.note(replace(failed(**about), verdict="fired", error=()))
    after = words_of(admin.get(DEAD).text)
    assert "no way out" not in after
    assert "有 1 件异常需要处理：规则 1" in words_of(admin.get(f"{ROOT}/home").text)
    assert send(admin, f"{DEAD}/{lost}/again").status_code == 404
    assert "丢失的消息" in words_of(place.client("keeper").get(f"{ROOT}/messages").text)


def test_jobs_that_gave_up_are_run_again_or_removed(place: Place) -> None:
    admin = place.client("admin")
    ids = [place.jobs.enqueue("gone", {"workspace": "acme", "number": number}) for number in range(2)]
    place.jobs.drain()
    assert "有 2 件异常需要处理：规则 0，后续 0，作业 2，消息 0" in words_of(admin.get(f"{ROOT}/home").text)
    page = admin.get(DEAD).text
    assert sorted(re.findall(r'data-job="([^"]+)"', page)) == sorted(ids)
    assert "gone" in words_of(page)
    assert send(place.client("keeper"), f"{DEAD}/jobs/drop", job=ids[0]).status_code == 403
    assert send(admin, f"{DEAD}/jobs/drop", job=ids[0]).status_code == 303
    assert send(admin, f"{DEAD}/jobs/drop", job=ids[0]).status_code == 404
    assert send(admin, f"{DEAD}/jobs/again", job=ids[1]).status_code == 303
    assert send(admin, f"{DEAD}/jobs/nonsense", job=ids[1]).status_code == 404
    assert "data-job" not in admin.get(DEAD).text, "it waits for its turn"
    place.jobs.drain()
    api, token = "/api/v1/acme/tiny", {"X-CSRF-Token": csrf_of(admin)}
    [told] = admin.get(f"{api}/-/dead-ends").json()["dead_ends"]["jobs"]
    assert told["id"] == ids[1]
    assert admin.post(f"{api}/-/dead-ends/jobs/drop", json={"job": ids[1]}, headers=token).status_code == 202
    assert admin.get(f"{api}/-/dead-ends").json()["dead_ends"]["counts"]["jobs"] == 0


def test_a_run_is_repeated_and_linked(place: Place) -> None:
    document = receive(place.house, "A001", "120")
    place.jobs.drain()
    [run] = place.latest(rule="big_receipt")
    admin = place.client("admin")
    answer = send(admin, f"{LOG}/{run.id}/again")
    again = place.latest(rule="big_receipt")[0]
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LOG}/{again.id}")
    assert (again.rerun_of, again.document, again.verdict) == (run.id, document, "fired")
    assert f'href="{LOG}/{run.id}"' in admin.get(f"{LOG}/{again.id}").text
    assert send(place.client("keeper"), f"{LOG}/{run.id}/again").status_code == 403
    assert send(admin, f"{LOG}/99999/again").status_code == 404


def test_the_button_of_a_rule_is_pressed_on_the_page(place: Place) -> None:
    document = receive(place.house, "A001", "1", "save")
    keeper = place.client("keeper")
    page = keeper.get(f"{ROOT}/stock_in/{document}").text
    assert 'data-action="rule:mark"' in page and "要求复核" in words_of(page)
    sent = {"id": document, "values": {}, "lines": {}, "action": "rule:mark", "idempotency_key": "k1"}
    answer = keeper.post(f"{ROOT}/stock_in/save", json=sent, headers={"X-CSRF-Token": csrf_of(keeper)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["said"] == "已执行。"
    place.jobs.drain()
    assert "待复核" in words_of(keeper.get(f"{ROOT}/stock_in/{document}").text)


def test_pages_ask_as_much_for_many_rows_as_for_few(place: Place) -> None:
    door = accounts.user_door(place.house, "acme", "admin")
    engine = place.house.workspace("acme").database.engine
    documents = [receive(place.house, "A001", "120", "save") for _ in range(6)]

    def asked() -> int:
        counted: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            counted.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        rules.rule_rows(door)
        rule_log.run_page(door)
        sa.event.remove(engine, "before_cursor_execute", note)
        return len(counted)

    place.note(failed(form="stock_in", document=documents[0], user=1))
    few = asked()
    place.note(*(failed(form="stock_in", document=one, user=1 + at % 3) for at, one in enumerate(documents)))
    assert asked() == few


@pytest.mark.parametrize("path", ["rules", "rules/big_receipt", "rules/mark", "rule-log", "rule-log/1", "dead-ends"])
def test_an_english_page_has_no_chinese(place: Place, path: str) -> None:
    receive(place.house, "A001", "120")
    place.jobs.drain()
    place.note(failed())
    place.lose()
    place.jobs.enqueue("seal", {"workspace": "acme"})
    place.jobs.enqueue("gone", {"workspace": "acme"})
    place.jobs.drain()
    mary = place.client("mary")
    page = re.sub(r"(?s)<pre class=\"rule-source\".*?</pre>", " ", mary.get(f"{ROOT}/settings/{path}").text)
    known = set(re.findall(r"[\u4e00-\u9fff]+", words_of(mary.get(f"{ROOT}/menu").text)))
    chinese = set(re.findall(r"[\u4e00-\u9fff]+", words_of(page))) - known
    assert chinese - {"李仓管", "纯净水"} == set()


def test_a_tag_is_seen_on_the_document_and_filters_the_list(place: Place) -> None:
    big = receive(place.house, "A001", "120")
    small = receive(place.house, "A001", "1")
    place.jobs.drain()
    with read(place.house.workspace("acme").database) as connection:
        assert tags.of_documents(connection, "stock_in", [big, small]) == {big: (Label("大额", "Big"),)}
    keeper = place.client("keeper")
    page = keeper.get(f"{ROOT}/stock_in").text
    assert page.count('class="chip chip-tag"') == 1 and 'tag=%E5%A4%A7%E9%A2%9D"' in page
    found = keeper.get(f"{ROOT}/stock_in?tag=大额").text
    assert f'id="row-{big}"' in found and f'id="row-{small}"' not in found
    assert "没有" in words_of(keeper.get(f"{ROOT}/stock_in?tag=没有").text)
    assert 'class="chip chip-tag"' in keeper.get(f"{ROOT}/stock_in/{big}").text
    assert 'class="chip chip-tag"' not in keeper.get(f"{ROOT}/stock_in/{small}").text


def test_the_api_tells_administrators_the_same(place: Place) -> None:
    document = receive(place.house, "A001", "120", "save")
    place.note(failed(form="stock_in", document=document))
    admin, keeper = place.client("admin"), place.client("keeper")
    api, token = "/api/v1/acme/tiny", {"X-CSRF-Token": csrf_of(admin)}
    assert [row["key"] for row in admin.get(f"{api}/-/rules").json()["rows"]][-1] == "idle"
    assert admin.get(f"{api}/-/rules/big_receipt").json()["rule"]["condition"] == "合计(明细.数量) > 100"
    [row] = admin.get(f"{api}/-/rule-runs?verdict=failed").json()["rows"]
    assert admin.get(f"{api}/-/rule-runs/{row['id']}").json()["run"]["errors"][0][0].endswith("除数为 0。")
    assert admin.get(f"{api}/-/dead-ends").json()["dead_ends"]["counts"]["runs"] == 1
    again = admin.post(f"{api}/-/rule-runs/{row['id']}/again", json={}, headers=token)
    assert again.status_code == 201
    assert place.latest()[0].id == again.json()["id"]
    for path in ("rules", "rules/big_receipt", "rule-runs", f"rule-runs/{row['id']}", "dead-ends"):
        assert keeper.get(f"{api}/-/{path}").status_code == 403
    mine = {"X-CSRF-Token": csrf_of(keeper), "Idempotency-Key": "once"}
    pressed = keeper.post(f"{api}/stock_in/{document}/do/rule:mark", json={}, headers=mine)
    assert pressed.status_code == 200, pressed.text
    place.jobs.drain()
    assert keeper.get(f"{api}/stock_in/{document}").json()["tags"] == ["大额", "待复核"]
    paths = admin.get(f"{api}/-/openapi.json").json()["paths"]
    assert f"{api}/stock_in/{{document}}/do/rule:mark" in paths, "the button of a rule"
