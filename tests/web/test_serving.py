"""A process of its own: pages are served before the job engine is up, and everything is closed at the end."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from fastapi.testclient import TestClient

from runtime.app import create_app, secret_of
from runtime.settings import Settings

PATIENCE_S = 60


def test_the_app_opens_and_closes_with_its_jobs(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(data_dir=tmp_path / "data", test_mode=True))) as client:
        assert client.get("/healthz").text == "ok"
        assert "还没有公司" in client.get("/").text


def test_threads_share_memory_where_the_c_library_lets_them() -> None:
    code = "from runtime.commands.serve import share_memory; print(share_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(platform.libc_ver()[0] == "glibc")


def test_serve_answers_and_stops(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "runtime.cli", "serve", "--port", str(port), "--host", "127.0.0.1"]
    env = {**os.environ, "STOCKLOOM_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert _answer(f"http://127.0.0.1:{port}/healthz") == "ok"
        finally:
            process.terminate()
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert f"http://127.0.0.1:{port}/" in said


def test_serving_on_sqlite_begins_without_what_only_jobs_and_postgresql_need() -> None:
    code = "import sys, runtime.commands.serve; print(*{'dbos', 'psycopg', 'openpyxl'} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


def test_the_secret_is_made_once_and_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    made = secret_of(path)
    assert len(made) >= 48 and secret_of(path) == made
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["secret.key"]


def _answer(address: str) -> str:
    waited = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > waited:
                raise
            time.sleep(0.1)
