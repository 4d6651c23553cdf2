"""Somebody who has only the manuals writes an app: it checks, publishes, tells its stories and is served.

The folders beside this file are such apps. Their stories run on both databases in tests/stories; here everything is
done by the command line, as the manual tells it, and the pages are served by a process of their own.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from runtime.cli import main

HERE = Path(__file__).parent
APPS = sorted(file.parent for file in HERE.glob("*/app.yaml"))
PASSWORD = "a tool for every hand"
PATIENCE_S = 60


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, for this process and those it starts. Test mode hashes passwords quickly."""
    monkeypatch.setenv("STOCKLOOM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STOCKLOOM_TEST_MODE", "1")
    return tmp_path / "data"


@contextmanager
def served() -> Iterator[str]:
    """The address of ``stockloom serve``, in a process of its own, while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "runtime.cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=HERE.parents[1], stdout=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until pages are served."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not come up")


def test_there_is_an_app_of_an_outsider() -> None:
    assert APPS


@pytest.mark.parametrize("app", APPS, ids=[app.name for app in APPS])
def test_check_publish_test_and_serve(app: Path, installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stockloom(*arguments: str) -> tuple[int, str]:
        """Exit code and output of one command line."""
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), capsys.readouterr().out

    assert stockloom("check", str(app), "--strict") == (0, "")
    code, told = stockloom("test", str(app))
    assert code == 0, told
    code, changes = stockloom("publish", str(app), "--workspace", "outside")
    assert code == 0, changes
    assert stockloom("plan", str(app), "--workspace", "outside", "--lang", "en") == (0, "= No table changes.\n")
    roles = [part for file in (app / "roles").glob("*.yaml") for part in ("--role", file.stem)]
    code, told = stockloom("user", "add", "boss", "--workspace", "outside", "--password", PASSWORD, *roles)
    assert code == 0, told

    with served() as address, httpx.Client(base_url=address, follow_redirects=True) as browser:
        home = signed_in(browser)
        for name in [*re.findall(r"- form: (\w+)", (app / "app.yaml").read_text("utf-8")), "stock"]:
            link = f"/w/outside/{app.name}/{name}"
            assert link in re.findall(r'href="([^"]+)"', home), "the menu leads to every form"
            assert browser.get(link).status_code == 200, link

    assert stockloom("verify", "--workspace", "outside")[0] == 0
    assert (installation / "outside").is_dir()


def signed_in(browser: httpx.Client) -> str:
    """The home page of the boss, after signing in as the sign-in page asks."""
    token = re.search(r'name="entrance" value="([^"]+)"', browser.get("/w/outside/login").text)
    assert token is not None
    home = browser.post("/w/outside/login", data={"login": "boss", "password": PASSWORD, "entrance": token.group(1)})
    assert home.status_code == 200
    return home.text
