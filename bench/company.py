"""Workspaces to measure: the general template with a few hundred products, one person who may do everything, a key.

Made through the facade like any company; only the mass of rows in `bench.fill` comes in below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.actor import automation
from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from runtime.definition_files import read_definition_files
from runtime.facade import accounts, documents
from runtime.facade.documents import Command, patch_from_json
from runtime.facade.door import Door
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.messages.catalogue import load_catalogue
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.workspaces import create_workspace

TEMPLATE = Path(__file__).parent.parent / "templates_catalog" / "general"
PRODUCT, FLOOR = "product", "floor"
LOGIN, PASSWORD = "bench", "bench-bench"
FEW = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A furnished workspace: its API key and the ids that requests name."""

    workspace: str
    key: str
    category: int
    unit: int
    warehouses: tuple[int, ...]
    supplier: int
    products: tuple[int, ...]


def open_house(settings: Settings) -> House:
    """A house whose jobs nobody performs."""
    return inline_house(settings, built_in_kinds(), load_catalogue())[0]


def door_of(house: House, workspace: str) -> Door:
    """The person who may do everything."""
    return accounts.user_door(house, workspace, LOGIN)


def found(house: House, workspace: str, few: int = FEW) -> Company:
    """Make and furnish a workspace with a few products."""
    place = house.keep(create_workspace(house.settings, workspace))
    files, problems = read_definition_files(TEMPLATE)
    bundle = bundle_of(files, house.kinds)
    if problems or not isinstance(bundle, AppBundle):
        raise RuntimeError("the general template has problems")
    publish(place.database, bundle, "bench", house.now())
    accounts.enter(house, workspace, automation())
    roles = sorted(set(bundle.roles) - {"automation"})
    accounts.add_user(house, workspace, login=LOGIN, name=LOGIN, password=PASSWORD, roles=roles)
    door = door_of(house, workspace)
    unit = _make(door, "unit", {"name": "件", "precision": "0"})
    category = _make(door, "product_category", {"code": "C1", "name": "紧固件"})
    warehouses = tuple(
        _make(door, "warehouse", {"code": f"W{number}", "name": f"仓库{number}"}) for number in range(1, 6)
    )
    supplier = _make(door, "supplier", {"code": "S1", "name": "虎门紧固件"})
    products = tuple(
        _make(
            door,
            "product",
            {"code": f"A{number:04}", "name": f"螺丝 {number}", "category": category, "base_unit": unit,
             "safety_stock": "1"},
        )
        for number in range(few)
    )  # fmt: skip
    return Company(
        workspace=workspace,
        key=accounts.create_api_key(door, "bench"),
        category=category,
        unit=unit,
        warehouses=warehouses,
        supplier=supplier,
        products=products,
    )


def _make(door: Door, form: str, data: dict[str, object]) -> int:
    patch = patch_from_json(door.bundle.forms[form], data)
    return documents.submit(door, Command(form=form, action="save", patch=patch)).document
