"""Products found by the barcode of one of their units (箱码): the product, and which unit was scanned."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.facade import lists
from runtime.facade.cells import Names, target_of
from runtime.facade.door import Door
from runtime.facade.list_views import LookUpHit
from runtime.storage import documents


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHit:
    """``record`` was found by the barcode of its unit ``unit``, which reads ``unit_text``."""

    record: LookUpHit
    unit: int
    unit_text: str


def by_code(door: Door, form: str, code: str, link: tuple[str, str] | None = None) -> tuple[UnitHit, ...]:
    """Records of ``form`` one of whose units carries exactly this barcode; as `lists.look_up` as to rights and filters.

    Args:
        link: form and path of the link field they are picked for.
    """
    compiled = door.form(form)
    units = compiled.definition.units
    if units is None or units.barcode is None or not code:
        return ()
    access = door.access(compiled)
    if not all(access.readable(f"{units.table}.{key}") for key in (units.unit, units.barcode)):
        return ()
    with door.asking() as unit:
        found = documents.unit_codes(unit.connection, unit.tables, form, code)
        names = Names(door.language)
        target = target_of(compiled.tables[units.table].fields[units.unit])
        for one in found.values():
            names.want_id(target, one)
        names.load(unit)
    if not found:
        return ()
    hits = lists.look_up(door, form, "", link=link, among=found)
    return tuple(UnitHit(record=hit, unit=found[hit.id], unit_text=names.name(target, found[hit.id])) for hit in hits)


def filled_unit(door: Door, form: str, path: str) -> str:
    """The field of the same row that the link ``path`` fills with a unit of its record; empty when none."""
    field = door.form(form).field(path)
    target = door.bundle.forms.get(target_of(field)) if field is not None else None
    units = target.definition.units if target is not None else None
    if field is None or units is None:
        return ""
    return next((key for key, sources in field.fills.items() if units.base in sources), "")
