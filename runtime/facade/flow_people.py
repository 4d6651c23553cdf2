"""People to be named in a dialog, found by name, login or pinyin."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.facade.door import Door
from runtime.storage import accounts, departments
from runtime.storage.search_text import search_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonHit:
    """Somebody; ``detail`` is their department, which tells people of one name apart."""

    id: int
    name: str
    detail: str


def people(door: Door, text: str, role: str = "") -> tuple[PersonHit, ...]:
    """Active people whose name, login or pinyin contains ``text``; with ``role`` only those who hold it."""
    wanted = text.strip().lower()
    with door.asking() as unit:
        rows = accounts.users(unit.connection, active_only=True)
        if role:
            held = accounts.holders(unit.connection, door.bundle.app.app, [role]).get(role, ())
            rows = tuple(row for row in rows if row.id in set(held))
        found = [row for row in rows if wanted in search_text([row.name, row.login])]
        places = {row.department for row in found if row.department is not None}
        named = departments.department_names(unit.connection, places) if places else {}
    return tuple(
        PersonHit(id=row.id, name=row.name, detail=named.get(row.department or 0, "")) for row in found
    )  # fmt: skip
