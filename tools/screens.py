"""Takes a picture of every page of the demo company: 1440 and 390 pixels wide, light and dark, into docs/screens/.

It builds a small demo company in a temporary folder, serves it, signs in as the people of the company and looks at what
each of them works with. Run it after a change of the pages, then look at the pictures.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from runtime.system_parts import find_chromium

FOLDER = Path(__file__).parent.parent / "docs" / "screens"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = ((1440, 900), (390, 844))
PASSWORD = "stockloom-demo"
# name of the picture, who looks, page below the app: a form's first record is written ``form/*``, and what is to be
# pressed on the page comes after ``>>``
PAGES = (
    ("home", "purchase_mgr", "home"),
    ("tasks", "purchase_mgr", "tasks"),
    ("task", "purchase_mgr", "tasks >> .inbox-title"),
    ("flow", "purchase_mgr", "tasks >> .inbox-title >> .review-log a[href*='/flows/']"),
    ("copies", "keeper", "tasks?tab=copies"),
    ("stand_ins", "finance_mgr", "flows/stand-ins"),
    ("messages", "buyer", "messages"),
    ("notices", "wh_mgr", "me/notices"),
    ("list", "buyer", "purchase_order"),
    ("order", "purchase_mgr", "purchase_order/*"),
    ("order_new", "buyer", "purchase_order/new"),
    ("receipt", "wh_mgr", "purchase_receipt/*"),
    ("delivery", "wh_mgr", "sales_delivery/*"),
    ("sales_order", "sales", "sales_order/*"),
    ("product", "data_admin", "product/*"),
    ("products", "data_admin", "product"),
    ("stock", "finance", "stock"),
    ("stock_sales", "sales", "stock"),
    ("entries", "finance", "entries"),
    ("lots", "wh_mgr", "stock/lots"),
    ("ageing", "finance", "ageing"),
    ("vouchers", "finance", "vouchers"),
    ("closing", "finance", "closing"),
    ("import", "data_admin", "import"),
    ("settings", "admin", "settings"),
    ("outside", "admin", "settings/outside"),
    ("deliveries", "admin", "settings/deliveries"),
    ("rules", "admin", "settings/rules"),
    ("rule", "admin", "settings/rules/blacklisted_supplier"),
    ("rule_log", "admin", "settings/rule-log"),
    ("rule_run", "admin", "settings/rule-log?verdict=rejected >> tbody .row-link"),
    ("dead_ends", "admin", "settings/dead-ends"),
    ("try", "admin", "settings/try?file=workflows/purchase_order_approval.yaml"),
    ("stuck", "admin", "flows/stuck"),
)


def main(data: Path | None = None) -> None:
    """Take all pictures; ``data`` is the folder of a demo company that exists already."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = data or Path(temporary) / "demo"
        if data is None:
            small = ("--purchases", "300", "--sales", "240", "--no-serve", "--data", str(folder))
            subprocess.run([sys.executable, "-m", "runtime.cli", "demo", *small], check=True)
        with _served(folder) as address, sync_playwright() as driver:
            chromium = find_chromium()
            if chromium is None:
                sys.exit("chromium is missing; stockloom doctor names the package")
            browser = driver.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
            _login_picture(browser, address)
            for width, height in SIZES:
                for theme in ("light", "dark"):
                    _pictures(browser, address, width, height, theme)
            browser.close()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "STOCKLOOM_DATA_DIR": str(folder)}
    server = subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", "serve", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _login_picture(browser: Browser, address: str) -> None:
    for width, height in SIZES:
        page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
        page.goto(f"{address}/w/demo/login")
        _shoot(page, f"login_{width}_light")
        page.close()


def _pictures(browser: Browser, address: str, width: int, height: int, theme: str) -> None:
    for user in dict.fromkeys(user for _, user, _ in PAGES):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=width < 500,
            is_mobile=width < 500,
        )
        page = context.new_page()
        page.goto(f"{address}/w/demo/login")
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/general/**")
        for name, who, path in PAGES:
            if who == user:
                _open(page, address, path)
                _shoot(page, f"{name}_{width}_{theme}")
        context.close()


def _open(page: Page, address: str, path: str) -> None:
    base = f"{address}/w/demo/general"
    place, *pressed = path.split(" >> ")
    form, star, _ = place.partition("/*")
    page.goto(f"{base}/{form if star else place}")
    page.wait_for_load_state("networkidle")
    for each in pressed:
        page.locator(each).first.click()
        page.wait_for_load_state("networkidle")
    if star:
        links = page.locator(f"a[href^='/w/demo/general/{form}/']").all()
        found = (str(link.get_attribute("href")) for link in links)
        first = next((href for href in found if re.fullmatch(rf".*/{form}/\d+", href)), None)
        if first is None:
            sys.exit(f"{form} has no record this person may see; build a larger demo")
        page.goto(address + first)
        page.wait_for_load_state("networkidle")


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(400)
    page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=72)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
