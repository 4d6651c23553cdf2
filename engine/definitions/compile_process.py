"""Postings and roles → their compiled forms: every expression checked against what it may see."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.definitions.compiled import (
    CompiledEntry,
    CompiledGrant,
    CompiledPosting,
    CompiledRole,
)
from engine.definitions.file_kinds import POSTINGS, ROLES
from engine.definitions.posting import EntryDef, PostingDef
from engine.definitions.reading import Place, Reading
from engine.definitions.role import Grant, RoleDef
from engine.definitions.scopes import Scopes
from engine.expressions import Checked, Kind, ValueType
from engine.expressions.types import BOOLEAN, DATE, DATETIME, NUMBER, TEXT

ROW_WORDS = ("all", "department", "own")
EVERY_FORM = "*"
SELF = "self"
WORDS = MappingProxyType(dict.fromkeys(("lot", "serial", "status", "element"), TEXT))


def compile_posting(
    posting: PostingDef, scopes: Scopes, dimensions: Mapping[str, ValueType], reading: Reading
) -> CompiledPosting | None:
    """None when the form is unknown.

    Args:
        dimensions: type each dimension must have, for those the app names a form for.
    """
    if not scopes.has_form(posting.form):
        return None
    place = Place(POSTINGS, posting.posting, ())
    entries = {
        action: tuple(
            _entry(entry, posting.form, place / action / index, scopes, dimensions, reading)
            for index, entry in enumerate(written)
        )
        for action, written in (("submit", posting.submit), ("approve", posting.approve), ("close", posting.close))
    }
    return CompiledPosting(definition=posting, entries=MappingProxyType(entries))


def _entry(
    entry: EntryDef,
    form: str,
    place: Place,
    scopes: Scopes,
    dimensions: Mapping[str, ValueType],
    reading: Reading,
) -> CompiledEntry:
    scope = scopes.line(form, entry.each) if entry.each else scopes.header(form)
    spread = entry.spread
    read = {
        name: reading.expression(text, scope, place / "dimensions" / name, dimensions.get(name, WORDS.get(name)))
        for name, text in entry.dimensions.items()
    }
    return CompiledEntry(
        definition=entry,
        when=reading.optional(entry.when, scope, place / "when", BOOLEAN),
        quantity=reading.optional(entry.quantity, scope, place / "quantity", NUMBER),
        value=reading.optional(entry.value, scope, place / "value", NUMBER),
        dimensions=MappingProxyType({name: each for name, each in read.items() if each is not None}),
        aux=reading.optional(entry.aux, scope, place / "aux", NUMBER),
        due=reading.optional(entry.due, scope, place / "due", DATE),
        until=reading.optional(entry.until, scopes.header(form), place / "until", DATETIME),
        made=reading.optional(entry.made, scope, place / "made", DATE),
        expires=reading.optional(entry.expires, scope, place / "expires", DATE),
        weight=reading.optional(entry.weight, scope, place / "weight", NUMBER),
        refer=None if entry.refer == SELF else reading.optional(entry.refer, scope, place / "refer", TEXT),
        total=reading.expression(spread.total, scopes.header(form), place / "spread" / "total", NUMBER)
        if spread
        else None,
        by=reading.expression(spread.by, scope, place / "spread" / "by", NUMBER) if spread else None,
        lot_reason=reading.optional(entry.lot_reason, scope, place / "lot_reason", TEXT),
    )


def compile_role(role: RoleDef, scopes: Scopes, reading: Reading) -> CompiledRole:
    """Compile one role; forms that do not exist are left out."""
    place = Place(ROLES, role.role, ())
    rows = role.stock.rows if scopes.has_form(scopes.warehouse) else "all"
    return CompiledRole(
        definition=role,
        grants=tuple(
            _grant(grant, place / "grants" / index, scopes, reading) for index, grant in enumerate(role.grants)
        ),
        stock_rows=None
        if rows == "all"
        else reading.expression(rows, scopes.stock_rows(), place / "stock" / "rows", BOOLEAN),
    )


def _grant(grant: Grant, place: Place, scopes: Scopes, reading: Reading) -> CompiledGrant:
    every = tuple(scopes.labels) if EVERY_FORM in grant.forms else grant.forms
    forms = tuple(form for form in every if scopes.has_form(form))
    rows: dict[str, Checked] = {}
    if grant.rows not in ROW_WORDS:
        for form in forms:
            read = reading.expression(grant.rows, scopes.header(form), place / "rows", BOOLEAN)
            if read is not None:
                rows[form] = read
    return CompiledGrant(definition=grant, forms=frozenset(forms), rows=MappingProxyType(rows))


def dimension_types(named: Mapping[str, str | None], scopes: Scopes) -> Mapping[str, ValueType]:
    """Type of each dimension the app names a form for."""
    return {name: ValueType(Kind.LINK, form) for name, form in named.items() if form and scopes.has_form(form)}
