"""What may this person do with this form, which rows, which fields? Grants of all held roles, added up.

Rules: actions and rows add up over roles. A field's access is the most permissive any granting role gives it, then
lowered by tags: a tag some role hides stays hidden unless another held role speaks of the tag more generously.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from engine.actor import ADMIN_ROLE, Actor
from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import AppBundle, CompiledForm, CompiledRole
from engine.definitions.role import Grant
from engine.document import Document
from engine.expressions import Checked, Clock, EvaluationFailed, evaluate
from engine.labels import Label
from engine.problems import Problem, problem


class Access(IntEnum):
    """Field access, ordered."""

    HIDDEN = 0
    READ = 1
    WRITE = 2


WORDS: Mapping[str, Access] = MappingProxyType({"hidden": Access.HIDDEN, "read": Access.READ, "write": Access.WRITE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows: the union of its terms. ``everything`` admits all; no term at all admits none."""

    everything: bool = False
    own: bool = False
    department: bool = False
    conditions: tuple[Checked, ...] = ()

    def joined(self, other: RowFilter) -> RowFilter:
        """Rows admitted by either."""
        return RowFilter(
            everything=self.everything or other.everything,
            own=self.own or other.own,
            department=self.department or other.department,
            conditions=(*self.conditions, *other.conditions),
        )


NO_ROWS = RowFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAccess:
    """The answer for one person and one form.

    Attributes:
        actions: allowed actions. rows: filter per action (``read`` covers every other). fields: access per path.
        closed: fields that may not be written, by path, with what they are called.
    """

    form: str
    actions: frozenset[str]
    rows: Mapping[str, RowFilter]
    fields: Mapping[str, Access]
    closed: Mapping[str, Label]

    def access(self, path: str) -> Access:
        """Access to a field path; system fields are readable by whoever may read the form."""
        return self.fields.get(path, Access.READ)

    def readable(self, path: str) -> bool:
        """Whether the field may be read, filtered, sorted, searched, grouped and exported."""
        return self.access(path) >= Access.READ


def form_access(bundle: AppBundle, form: CompiledForm, actor: Actor) -> FormAccess:
    """Add up what the actor's roles grant on ``form``."""
    roles = [bundle.roles[key] for key in sorted(actor.roles) if key in bundle.roles]
    actions: set[str] = set()
    rows: dict[str, RowFilter] = {}
    granted: dict[str, Access] = {}
    for role in roles:
        for grant in role.grants:
            if form.key not in grant.forms:
                continue
            definition = grant.definition
            actions.update(definition.actions)
            row_filter = _row_filter(definition, grant.rows.get(form.key))
            for action in {*definition.actions, "read"}:
                rows[action] = rows.get(action, NO_ROWS).joined(row_filter)
            _widen(granted, form, definition)
    if actions:
        actions.add("read")
    tags = _tags(roles)
    fields = {path: _lowered(form, path, access, tags) for path, access in granted.items()}
    closed = {
        each.path: each.label for each in form.all_fields() if fields.get(each.path, Access.READ) < Access.WRITE
    }  # fmt: skip
    return FormAccess(
        form=form.key,
        actions=frozenset(actions),
        rows=MappingProxyType(rows),
        fields=MappingProxyType(fields),
        closed=MappingProxyType(closed),
    )


def admits(row_filter: RowFilter, document: Document, names: Mapping[str, object], actor: Actor, clock: Clock) -> bool:
    """Whether the filter admits this document; the same question ``WHERE`` answers for all."""
    if row_filter.everything or (row_filter.own and document.creator == actor.user):
        return True
    if row_filter.department and document.department is not None and document.department in actor.departments:
        return True
    return any(_holds(condition, names, clock) for condition in row_filter.conditions)


def denied(access: FormAccess, form: CompiledForm, action: str) -> tuple[Problem, ...]:
    """A problem when the action is not granted at all."""
    if action in access.actions:
        return ()
    return (problem("permission.action_denied", action=ACTION_LABELS.get(action, action), form=form.label),)


def write_problems(access: FormAccess, typed: Iterable[str]) -> tuple[Problem, ...]:
    """One problem per field the caller typed without the right to. ``typed`` are addresses (``lines.2.price``)."""
    closed = access.closed
    if not closed:
        return ()
    return tuple(
        problem("permission.field_denied", where, field=closed[path])
        for where in sorted(typed)
        if (path := plain_path(where)) in closed
    )


def plain_path(where: str) -> str:
    """``lines.2.price`` → ``lines.price``."""
    parts = where.split(".")
    return f"{parts[0]}.{parts[2]}" if len(parts) == 3 else where


def may_see_page(bundle: AppBundle, actor: Actor, page: str) -> bool:
    """Whether any held role opens a built-in page."""
    return any(page in bundle.roles[key].definition.pages for key in actor.roles if key in bundle.roles)


def stock_measures(bundle: AppBundle, actor: Actor) -> frozenset[str]:
    """Measures of the stock page the actor may see."""
    return frozenset(
        measure for key in actor.roles if key in bundle.roles for measure in bundle.roles[key].definition.stock.measures
    )


def stock_rows(bundle: AppBundle, actor: Actor) -> RowFilter:
    """Warehouses whose stock the actor may see; conditions speak of ``warehouse``."""
    total = NO_ROWS
    for key in sorted(actor.roles):
        role = bundle.roles.get(key)
        if role is None or not role.definition.stock.measures:
            continue
        conditions = (role.stock_rows,) if role.stock_rows is not None else ()
        total = total.joined(RowFilter(everything=role.definition.stock.rows == "all", conditions=conditions))
    return total


def closing_rights(bundle: AppBundle, actor: Actor) -> frozenset[str]:
    """What the actor may do with closed days: ``day``, ``reopen_day``, ``month``; administrators also
    ``reopen_month``."""
    held = {right for key in actor.roles if key in bundle.roles for right in bundle.roles[key].definition.closing}
    return frozenset(held | ({"reopen_month"} if is_administrator(actor) else set()))


def is_administrator(actor: Actor) -> bool:
    """Whether the actor manages accounts and publishing; says nothing about documents."""
    return ADMIN_ROLE in actor.roles


def _row_filter(grant: Grant, condition: Checked | None) -> RowFilter:
    if condition is not None:
        return RowFilter(conditions=(condition,))
    return RowFilter(
        everything=grant.rows == "all", own=grant.rows in ("own", "department"), department=grant.rows == "department"
    )


def _widen(granted: dict[str, Access], form: CompiledForm, grant: Grant) -> None:
    writes = bool({"create", "update", "submit", "approve"} & set(grant.actions))
    ceiling = Access.WRITE if writes else Access.READ
    for field in form.all_fields():
        word = grant.fields.get(field.path) or (grant.fields.get(field.table) if field.table else None)
        access = min(WORDS[word], ceiling) if word else ceiling
        granted[field.path] = max(granted.get(field.path, Access.HIDDEN), access)
    for key in form.tables:
        access = min(WORDS[grant.fields[key]], ceiling) if key in grant.fields else ceiling
        granted[key] = max(granted.get(key, Access.HIDDEN), access)


def _tags(roles: Iterable[CompiledRole]) -> Mapping[str, Access]:
    tags: dict[str, Access] = {}
    for role in roles:
        for tag, word in role.definition.tags.items():
            tags[tag] = max(tags.get(tag, Access.HIDDEN), WORDS[word])
    return tags


def _lowered(form: CompiledForm, path: str, access: Access, tags: Mapping[str, Access]) -> Access:
    field = form.field(path)
    if field is None:
        return access
    limits = [tags[tag] for tag in field.tags if tag in tags]
    if field.table and form.tables[field.table].field.tags:
        limits.extend(tags[tag] for tag in form.tables[field.table].field.tags if tag in tags)
    return min([access, *limits])


def _holds(condition: Checked, names: Mapping[str, object], clock: Clock) -> bool:
    try:
        return evaluate(condition, names, clock) is True
    except EvaluationFailed:
        return False
