"""A house for a test: a fresh workspace with an app published in it, people by role, jobs drained by hand."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from engine.actor import automation
from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.problems import Refused
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, documents
from runtime.facade.documents import Command, Outcome, patch_from_json
from runtime.facade.door import Door
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.jobs.inline import InlineJobs
from runtime.messages.catalogue import Catalogue, load_catalogue
from runtime.published import PublishedApps
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.storage.database import Database, open_database
from runtime.storage.migrate import migrate
from runtime.workspaces import create_workspace, open_workspace

CATALOG = Path(__file__).parent.parent / "templates_catalog"
PASSWORD = "stockloom-test"
WORKSPACE = "acme"


@dataclass
class StillClock:
    """A clock that stands still until it is told to go on."""

    now: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 9, 0))

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: int) -> None:
        """Let time pass (``days=3``)."""
        self.now += timedelta(**time)


@dataclass
class Home:
    """A house, its clock and its jobs."""

    house: House
    clock: StillClock
    jobs: InlineJobs

    def door(self, *roles: str) -> Door:
        """The door of a person holding exactly these roles (made on first use)."""
        login = "-".join(roles)
        watch = accounts.enter(self.house, WORKSPACE, automation())
        if login not in {person.login for person in accounts.people(watch, "", limit=1000)}:
            accounts.add_user(self.house, WORKSPACE, login=login, name=login, password=PASSWORD, roles=roles)
        return accounts.user_door(self.house, WORKSPACE, login)

    def everybody(self) -> Door:
        """Somebody who holds every role."""
        bundle = self.house.published(self.house.workspace(WORKSPACE)).bundle
        accounts_roles = sorted(set(bundle.roles) - {"automation"})
        watch = accounts.enter(self.house, WORKSPACE, automation())
        if "everybody" not in {person.login for person in accounts.people(watch, "", limit=1000)}:
            accounts.add_user(
                self.house, WORKSPACE, login="everybody", name="everybody", password=PASSWORD, roles=accounts_roles
            )
        return accounts.user_door(self.house, WORKSPACE, "everybody")


@cache
def _catalogue() -> Catalogue:
    return load_catalogue(strict=True)


@cache
def compiled(app: Path) -> AppBundle:
    """The compiled app; compiled once per test process, for nothing in it can change."""
    files, problems = read_definition_files(app)
    assert not problems, [_catalogue().line(one, "zh") for one in problems]
    bundle = bundle_of(files, built_in_kinds())
    assert isinstance(bundle, AppBundle), [_catalogue().line(one, "zh") for one in bundle]
    return bundle


@cache
def published_apps(app: Path) -> PublishedApps:
    """What every house of this process knows of the compiled app: its tables and all that follows from it alone."""
    apps = PublishedApps(built_in_kinds())
    apps.keep(compiled(app))
    return apps


def make_home(folder: Path, app: Path, database_url: str | None = None) -> Home:
    """A home over ``folder`` (or a PostgreSQL database nothing is in, or yet to be made) with ``app`` published.

    Tables are made and the app is published once per test process; every home begins as a copy of that.
    """
    clock = StillClock()
    settings = Settings(data_dir=folder, database_url=database_url, test_mode=True)
    house, jobs = inline_house(settings, built_in_kinds(), _catalogue(), clock)
    house.apps = published_apps(app)
    if database_url is None:
        shutil.copytree(_prepared_folder(app), folder, dirs_exist_ok=True)
    else:
        url = make_url(database_url)
        assert url.database is not None
        with _server(url) as connection:
            prepared = _prepared_database(app, url.set(database=""))
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{url.database}" TEMPLATE "{prepared}" STRATEGY file_copy')
    house.keep(open_workspace(settings, WORKSPACE))
    return Home(house=house, clock=clock, jobs=jobs)


@cache
def _prepared_folder(app: Path) -> Path:
    """The data folder of a workspace with ``app`` published on SQLite; gone when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="stockloom-home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _publish(Settings(data_dir=folder, test_mode=True), app)
    return folder


@cache
def _prepared_database(app: Path, server: URL) -> str:
    """Name of a database with a workspace with ``app`` published; it goes with the process, or with the server."""
    name = _new_database(server, "home")
    with tempfile.TemporaryDirectory() as folder:
        url = server.set(database=name).render_as_string(hide_password=False)
        _publish(Settings(data_dir=Path(folder), database_url=url, test_mode=True), app)
    return name


def migrated(database_url: str) -> Database:
    """A workspace without an app over an address nothing is at yet: a copy of one that was migrated once."""
    url = make_url(database_url)
    assert url.database is not None
    if url.get_backend_name() == "sqlite":
        shutil.copy(_migrated_file(), url.database)
    else:
        with _server(url) as connection:
            bare = _migrated_database(url.set(database=""))
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{url.database}" TEMPLATE "{bare}" STRATEGY file_copy')
    return open_database(database_url)


@cache
def _migrated_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stockloom-bare-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with open_database(f"sqlite:///{folder / 'bare.sqlite'}") as database:
        migrate(database)
    return folder / "bare.sqlite"


@cache
def _migrated_database(server: URL) -> str:
    name = _new_database(server, "bare")
    with open_database(server.set(database=name).render_as_string(hide_password=False)) as database:
        migrate(database)
    return name


def _publish(settings: Settings, app: Path) -> None:
    workspace = create_workspace(settings, WORKSPACE)
    publish(workspace.database, compiled(app), "test", StillClock()())
    workspace.database.close()


def _new_database(server: URL, what: str) -> str:
    """Name of an empty database that is dropped when the process ends."""
    name = f"stockloom_{what}_{uuid4().hex[:12]}"

    def drop() -> None:
        with suppress(SQLAlchemyError), _server(server) as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')

    with _server(server) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    atexit.register(drop)
    return name


@contextmanager
def _server(url: URL) -> Iterator[Connection]:
    """A connection to the server's own database, outside transactions."""
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def do(
    door: Door,
    form: str,
    action: str,
    data: Mapping[str, object] | None = None,
    document: int | None = None,
    **others: object,
) -> Outcome:
    """Submit a command written as JSON."""
    patch = patch_from_json(door.bundle.forms[form], data) if data is not None else None
    return documents.submit(
        door,
        Command(form=form, action=action, document=document, patch=patch, **others),  # type: ignore[arg-type]
    )


def codes(refused: Refused) -> list[str]:
    """The codes of a refusal, in order."""
    return [one.code for one in refused.problems]


def furnished(home: Home) -> Door:
    """The general template with one product (螺丝 A032, 件), a warehouse, a supplier and a customer."""
    door = home.everybody()
    do(door, "unit", "save", {"name": "件", "precision": "0"})
    do(door, "product_category", "save", {"code": "C1", "name": "紧固件"})
    do(door, "warehouse", "save", {"code": "W1", "name": "主仓"})
    do(door, "warehouse", "save", {"code": "W2", "name": "分仓"})
    do(door, "supplier", "save", {"code": "S1", "name": "虎门紧固件"})
    do(door, "customer", "save", {"code": "K1", "name": "世纪联华"})
    do(door, "product", "save", {"code": "A032", "name": "螺丝", "category": "C1", "base_unit": "件"})
    do(door, "product", "save", {"code": "A033", "name": "螺栓", "category": "C1", "base_unit": "件"})
    return door
