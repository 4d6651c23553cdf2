"""Where a person works: the warehouse that ``me.warehouse`` means in defaults and row filters."""

from __future__ import annotations

from engine.labels import Label
from engine.problems import Refused, problem
from runtime.facade.door import Door
from runtime.stages.resolve import ids_of
from runtime.storage import accounts
from runtime.storage.database import in_transaction


def warehouse_called(door: Door, text: str) -> int:
    """Id of the warehouse with this natural key or name.

    Raises:
        Refused: the app has no warehouses, or none is called so.
    """
    form = door.bundle.app.dimensions.warehouse
    if form is not None:
        with door.reading() as unit:
            found = ids_of(unit, form, {text}).get(text)
        if found is not None:
            return found
    label = door.bundle.forms[form].label if form is not None else Label("仓库", "warehouse")
    raise Refused([problem("link.not_found", "warehouse", field=label, text=text)], "missing")


def assign(door: Door, user: int, warehouse: str) -> None:
    """Make the warehouse called ``warehouse`` the one the user works in; for stories. Raises as above."""
    found = warehouse_called(door, warehouse)
    in_transaction(
        door.workspace.database,
        lambda connection: accounts.update_user(connection, user, attributes={"warehouse": found}),
    )
