"""A house for a test: a fresh workspace with an app published in it, people by role, jobs drained by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

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
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.workspaces import create_workspace

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
def _bundle(app: Path) -> AppBundle:
    """The compiled app; compiled once per test process, for nothing in it can change."""
    files, problems = read_definition_files(app)
    assert not problems, [_catalogue().line(one, "zh") for one in problems]
    bundle = bundle_of(files, built_in_kinds())
    assert isinstance(bundle, AppBundle), [_catalogue().line(one, "zh") for one in bundle]
    return bundle


def make_home(folder: Path, app: Path, database_url: str | None = None) -> Home:
    """A home over ``folder`` (or a PostgreSQL database) with ``app`` published."""
    clock = StillClock()
    settings = Settings(data_dir=folder, database_url=database_url, test_mode=True)
    house, jobs = inline_house(settings, built_in_kinds(), _catalogue(), clock)
    workspace = house.keep(create_workspace(settings, WORKSPACE))
    bundle = _bundle(app)
    house.apps.keep(bundle)
    publish(workspace.database, bundle, "test", clock())
    return Home(house=house, clock=clock, jobs=jobs)


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
