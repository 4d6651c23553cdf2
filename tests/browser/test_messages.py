"""The message centre and the settings around it by hand, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.effects import Audience, Notify, effect_json
from engine.labels import Label
from runtime.facade import accounts
from runtime.house_jobs import performing
from runtime.jobs.relay import relay
from runtime.messages.catalogue import Catalogue
from runtime.plugin_loading import load_plugins
from runtime.storage import outbox
from runtime.storage.database import in_transaction
from runtime.storage.outbox import OutboxRow
from tests.browser.company import PASSWORD, WORKSPACE, Company, found, noon
from tests.browser.conftest import Visit
from tests.outgoing.receivers import Receiver, receiver

pytestmark = pytest.mark.browser
WIDTHS = [(1440, 900), (390, 844)]
NEWS = (
    ("task", "采购订单 PO-2026-0007 等您审批", "北大仓米业 · ¥ 68,000.00 · 已等待 3 天"),
    ("overdue", "采购订单 PO-2026-0003 审批超时", ""),
    ("result", "您提交的销售订单 SO-2026-0011 已审核", ""),
    ("rule", "库存不足：五常大米 低于安全库存 40 袋", "主仓 现有 12 袋"),
    ("rule", "库存不足：花生油", ""),
)


@pytest.fixture(scope="module")
def there() -> Iterator[Receiver]:
    with receiver() as running:
        running.says(200, {"errcode": 0, "errmsg": "ok"})
        yield running


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, there: Receiver) -> Iterator[Company]:
    """The company with the channels of the product, and with news for the manager."""
    installed = load_plugins()
    made = found(
        tmp_path_factory.mktemp("company"), catalogue, plugins=installed.plugins, webhook_allow_hosts=there.host
    )
    accounts.add_user(made.house, WORKSPACE, login="chief", name="周总管", password=PASSWORD, roles=("admin",))
    tell(made)
    yield made
    made.house.close()


def tell(company: Company) -> None:
    """Five messages of four kinds to the manager."""
    workspace = company.house.workspace(WORKSPACE)
    to = Audience(users=(company.door("manager").actor.user,))
    effects = [
        Notify(to=to, title=Label(title, title), body=Label(body, body) if body else None, about=about, form="supplier",
               document=company.made["supplier:S01"])
        for about, title, body in NEWS
    ]  # fmt: skip
    rows = [OutboxRow(kind=each.kind, payload=effect_json(each), created_at=noon()) for each in effects]
    ids = in_transaction(workspace.database, lambda connection: outbox.add(connection, rows))
    relay(company.jobs, workspace, ids, noon())
    company.jobs.drain()
    assert performing(company.house).knows("notify")


def fits(page: Page, width: int) -> None:
    """Nothing scrolls sideways, and on a phone everything can be hit with a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 500:
        small = page.evaluate(
            "[...document.querySelectorAll('.content a.btn, .content button, .content select, .content .tabs a')]"
            ".filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 34).map((e) => e.outerHTML)"
        )
        assert small == []


def test_a_message_is_opened_and_the_badge_counts_down(visit: Visit) -> None:
    page = visit("manager", "messages")
    expect(page.locator(".top-bell [data-badge]")).to_have_text(str(len(NEWS)))
    page.get_by_role("link", name=re.compile("PO-2026-0007")).click()
    page.wait_for_url("**/supplier/*")
    expect(page.locator(".top-bell [data-badge]")).to_have_text(str(len(NEWS) - 1))
    page.go_back()
    page.get_by_label("只看未读").check()
    expect(page.locator(".message-row")).to_have_count(len(NEWS) - 1)


def test_messages_are_filtered_by_kind_and_read_at_once(visit: Visit) -> None:
    page = visit("manager", "messages")
    page.get_by_role("link", name="业务提醒").click()
    expect(page.locator(".message-row")).to_have_count(2)
    page.get_by_role("button", name="全部标为已读").click()
    expect(page.locator(".toast-line")).to_contain_text("已全部标为已读")
    expect(page.locator(".line-unread")).to_have_count(0)
    page.locator(".tabs a").first.click()
    expect(page.locator(".message-row")).to_have_count(len(NEWS))


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_the_message_centre_fits(visit: Visit, width: int, height: int, shots: Path | None) -> None:
    page = visit("manager", "messages", width=width, height=height)
    expect(page.locator(".message-row")).to_have_count(len(NEWS))
    keep(page, shots, f"messages_{width}")
    fits(page, width)


def test_a_robot_is_set_up_by_hand_and_tested(visit: Visit, there: Receiver) -> None:
    page = visit("chief", "settings", "outside")
    page.locator("summary", has_text="添加").click()
    page.get_by_role("button", name="企业微信群机器人").click()
    dialog = page.get_by_role("dialog", name="添加：企业微信群机器人")
    dialog.get_by_label("机器人地址（Webhook）").fill(f"{there.url}/cgi-bin/webhook/send?key=k1")
    dialog.get_by_label("待办与审批").check()
    dialog.get_by_role("button", name="保存").click()
    expect(page.locator(".toast-line")).to_contain_text("地址已添加")
    expect(page.locator("tbody tr")).to_contain_text("企业微信群机器人")
    expect(page.locator("tbody tr")).not_to_contain_text("key=k1")
    page.get_by_role("button", name="发送测试").click()
    expect(page.locator(".toast-line")).to_contain_text("测试消息已送达")
    assert there.arrived[-1].path == "/cgi-bin/webhook/send?key=k1"


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_person_chooses_how_to_be_told(visit: Visit, width: int, height: int, shots: Path | None) -> None:
    page = visit("manager", "me", "notices", width=width, height=height)
    page.get_by_label("催办 · 企业微信群机器人").select_option("now")
    page.get_by_label("手机号").fill("13800000001")
    page.get_by_label("开始").fill("22:00")
    page.get_by_label("结束").fill("07:00")
    keep(page, shots, f"notices_{width}")
    fits(page, width)
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".toast-line")).to_contain_text("通知设置已保存")
    expect(page.get_by_label("催办 · 企业微信群机器人")).to_have_value("now")
    expect(page.get_by_label("手机号")).to_have_value("13800000001")
    page.get_by_label("邮箱").fill("a@b")
    page.get_by_label("结束").fill("")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("#notice")).to_contain_text("免打扰时段的开始和结束要一起填写")


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_addresses_and_deliveries_fit(
    visit: Visit, company: Company, width: int, height: int, shots: Path | None
) -> None:
    tell(company)
    company.house.sender.send_due(company.house.workspace(WORKSPACE))
    page = visit("chief", "settings", "outside", width=width, height=height)
    expect(page.locator("tbody tr")).to_have_count(1)
    keep(page, shots, f"outside_{width}")
    fits(page, width)
    page.locator("summary", has_text="添加").click()
    page.get_by_role("button", name="邮件").click()
    expect(page.get_by_role("dialog", name="添加：邮件")).to_be_visible()
    keep(page, shots, f"outside_add_{width}")
    page = visit("chief", "settings", "deliveries", width=width, height=height)
    expect(page.locator("tbody tr").first).to_contain_text("等您审批")
    keep(page, shots, f"deliveries_{width}")
    fits(page, width)


@pytest.fixture
def shots() -> Path | None:
    """Where pictures are kept, for whoever wants to look: a folder that exists, else nowhere."""
    folder = Path("build/shots")
    return folder if folder.is_dir() else None


def keep(page: Page, shots: Path | None, name: str) -> None:
    """Keep a picture of the page."""
    if shots is not None:
        page.screenshot(path=shots / f"{name}.png", full_page=True)
