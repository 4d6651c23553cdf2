"""What stands where on a document page: header fields in sections, line grids, totals, files. Arranging only.

Every value, label and right arrives decided by the facade; a field that is absent there cannot appear here. The rules
of arrangement are few: computed figures of a form with lines are totals, files go to the side, and in a wide grid the
computed figures nobody reads every day wait behind the column choice.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.facade.actions import FETCH
from runtime.facade.rule_buttons import BUTTON
from runtime.facade.views import (
    EMPTY_CELL,
    ActionView,
    CellView,
    DocumentView,
    FieldView,
    FormView,
    LineView,
    PushView,
    TableView,
)

DAY = "biz_date"
FILES = frozenset({"attachment", "image"})
WIDE = frozenset({"long_text", "address"})
MANY_COLUMNS = 7
SECONDARY_TYPES = frozenset({"number", "integer", "quantity", "price", "percent"})
BESIDE = ("approve", "reject", "withdraw", "submit", "enable", "disable")
RISKY = frozenset({"delete", "void", "unapprove"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A field, its cell, whether it may be typed into now, and whether nobody is asked for it."""

    field: FieldView
    cell: CellView
    editable: bool
    absent: bool = False

    @property
    def wide(self) -> bool:
        """Whether it takes the width of two fields."""
        return self.field.widget in WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A group of header fields under one heading, which may be empty."""

    label: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a line grid; ``secondary`` ones are shown on demand, or once a line asks for them."""

    field: FieldView
    editable: bool
    secondary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A line table on the page."""

    table: TableView
    columns: tuple[Column, ...]
    rows: tuple[LineView, ...]
    editable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """An action or push-down as a button: ``key`` of the action, or the address a push-down leads to."""

    key: str
    label: str
    allowed: bool
    reason: str
    needs_reason: bool = False
    risky: bool = False
    push: PushView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The arranged page."""

    sections: tuple[Section, ...]
    grids: tuple[Grid, ...]
    totals: tuple[Place, ...]
    files: tuple[Place, ...]
    primary: Button | None
    beside: tuple[Button, ...]
    more: tuple[Button, ...]
    can_type: bool


def arranged(form: FormView, view: DocumentView, words: dict[str, str]) -> Page:
    """Arrange ``view``. ``words``: labels of what the form does not name (``biz_date``, ``save``, ``submit``)."""
    totals = frozenset(field.path for field in form.fields if form.tables and field.computed and field.numeric)
    primary, beside, more = buttons(form, view, words)
    return Page(
        sections=_sections(form, view, totals, words),
        grids=tuple(_grid(table, view) for table in form.tables),
        totals=tuple(_place(field, view) for field in form.fields if field.path in totals),
        files=tuple(_place(field, view) for field in form.fields if field.widget in FILES),
        primary=primary,
        beside=beside,
        more=more,
        can_type=bool(view.editable),
    )


def buttons(
    form: FormView, view: DocumentView, words: dict[str, str]
) -> tuple[Button | None, tuple[Button, ...], tuple[Button, ...]]:
    """The one primary button, those beside it, and the rest.

    What leads the document on is primary: its own next action, else the first possible push-down, else saving.
    """
    save = Button(key="save", label=words["save"], allowed=True, reason="") if view.editable else None
    actions = list(view.actions)
    if view.id is None and form.kind != "master" and "submit" in form.actions:
        actions.append(ActionView(key="submit", label=words["submit"], allowed=True, primary=True))
    own = [_button(action) for action in actions]
    pushes = [_push(push) for push in view.pushes]
    wanted = next((action.key for action in actions if action.primary), None)
    primary = next((button for button in own if button.key == wanted), None)
    primary = primary or next((button for button in pushes if button.allowed), None)
    if primary is None and save is not None:
        primary, save = save, None
    near = [button for button in own if _beside(button)]
    shown = [button for button in [*([save] if save else []), *near, *pushes] if button is not primary]
    rest = [button for button in own if not _beside(button) and button is not primary]
    return primary, tuple(shown), tuple(rest)


def _beside(button: Button) -> bool:
    """Whether it stands beside the primary one: what leads on, what rules offer, and what can be brought in."""
    return button.key in BESIDE or button.key.startswith((BUTTON, FETCH))


def _button(action: ActionView) -> Button:
    return Button(
        key=action.key,
        label=action.label,
        allowed=action.allowed,
        reason=action.reason,
        needs_reason=action.needs_reason,
        risky=action.key in RISKY,
    )


def _push(push: PushView) -> Button:
    key = f"push:{push.form}:{push.variant}"
    return Button(key=key, label=push.label, allowed=push.allowed, reason=push.reason, push=push)


def _sections(form: FormView, view: DocumentView, totals: frozenset[str], words: dict[str, str]) -> tuple[Section, ...]:
    made = []
    for number, section in enumerate(form.sections):
        places = [
            _place(field, view) for field in section.fields if field.path not in totals and field.widget not in FILES
        ]
        if number == 0 and view.biz_date is not None:
            places.insert(0, _day(view, words[DAY]))
        if places:
            made.append(Section(label=section.label, places=tuple(places)))
    return tuple(made)


def _place(field: FieldView, view: DocumentView) -> Place:
    return Place(
        field=field,
        cell=view.values.get(field.key, EMPTY_CELL),
        editable=field.path in view.editable,
        absent=field.path in view.absent,
    )


def _day(view: DocumentView, label: str) -> Place:
    field = FieldView(
        key=DAY,
        path=DAY,
        table="",
        label=label,
        type_name="date",
        widget="date",
        access="write",
        required=True,
        computed=False,
        help="",
        options={},
        width=0,
        fills=False,
        tags=(),
        operators=(),
        numeric=False,
    )
    day = view.biz_date.isoformat() if view.biz_date else ""
    return Place(field=field, cell=CellView(value=day, text=day), editable=DAY in view.editable)


def _grid(table: TableView, view: DocumentView) -> Grid:
    fields = [field for field in table.fields if view.editable or field.path not in view.absent]
    crowded = len(fields) > MANY_COLUMNS
    typed = any(field.access == "write" for field in fields)
    columns = tuple(
        Column(
            field=field,
            editable=field.path in view.editable,
            secondary=field.path in view.absent
            or (
                crowded
                and field.type_name in SECONDARY_TYPES
                and (field.computed or (typed and field.access == "read"))
            ),
        )
        for field in fields
    )
    return Grid(
        table=table,
        columns=columns,
        rows=view.lines.get(table.key, ()),
        editable=any(column.editable for column in columns),
    )
