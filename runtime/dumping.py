"""A dump of the ledgers as plain text, for whoever wants to check them without this product (docs/dump.md)."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from engine.actor import automation
from engine.ledger import UNUSABLE, Ledger
from engine.problems import Refused, problem
from engine.values import MONEY_SCALE, PRICE_SCALE, QUANTITY_SCALE
from runtime.declared import declared_ledgers
from runtime.house import House
from runtime.stages.steps import Unit
from runtime.storage import proofs, snapshots
from runtime.storage.database import read_still
from runtime.storage.dumping import tables
from runtime.submit import unit_of

FORMAT = 1
RULES = "rules.json"


def dump(house: House, workspace: str, folder: Path) -> Mapping[str, int]:
    """Write the ledgers of a workspace into ``folder``, one state of them; the number of rows by table.

    Raises:
        Refused: ``missing`` when there is no such workspace or nothing is published in it; ``dump.not_empty``
            (conflict) when the folder holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused([problem("dump.not_empty", folder=str(folder))], "conflict")
    place = house.workspace(workspace)
    published = house.published(place)
    context = house.context(place, published, automation())
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    with read_still(place.database) as connection:
        unit = unit_of(context, connection)
        (folder / RULES).write_text(
            json.dumps(_rules(house, unit), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8"
        )
        for table in tables(connection, published.tables):
            with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(table.columns)
                written[table.name] = 0
                for row in table.rows:
                    writer.writerow(row)
                    written[table.name] += 1
    return written


def _rules(house: House, unit: Unit) -> dict[str, object]:
    """What a checker must know of the app to judge the rows."""
    settings = unit.bundle.app.settings
    return {
        "format": FORMAT,
        "scales": {"quantity": QUANTITY_SCALE, "value": MONEY_SCALE, "price": PRICE_SCALE},
        "cost_method": settings.cost_method,
        "money_decimals": settings.money_decimals,
        "negative_stock": settings.negative_stock,
        "negative_stock_in": _allowing(house, unit),
        "guarded_after": proofs.guarded_after(unit.connection),
        "ledgers": {key: _ledger(one) for key, one in declared_ledgers(unit.bundle).items()},
        "unusable": sorted(UNUSABLE),
    }


def _allowing(house: House, unit: Unit) -> list[str]:
    """Snapshots under which negative stock was allowed."""
    found = []
    for info in snapshots.list_of(unit.connection):
        try:
            bundle = house.apps.of_hash(unit.connection, info.hash).bundle
        except Refused:
            continue
        if bundle.app.settings.negative_stock:
            found.append(info.hash)
    return sorted(found)


def _ledger(ledger: Ledger) -> dict[str, object]:
    return {
        "nonnegative": ledger.nonnegative,
        "grains": [
            {"grain": name, "dimensions": list(grain.dimensions), "only": grain.only}
            for name, grain in ledger.grains.items()
        ],
    }
