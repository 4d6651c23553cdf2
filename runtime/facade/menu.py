"""The frame of every page: menu, hotkeys, home. Only what the person may open is in it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.definitions.app import MenuItem
from engine.permissions import closing_rights, is_administrator, may_see_page, stock_measures
from runtime.facade.door import Door
from runtime.facade.ledger_rights import ledgers_seen
from runtime.facade.lists import row_condition
from runtime.facade.tasks import inbox
from runtime.facade.views import TaskView
from runtime.storage import lists
from runtime.storage.columns import FormColumns
from runtime.storage.filters import compile_where
from runtime.storage.search_text import search_text

CARD_LIMIT = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """A menu entry: the list of ``form``, or the built-in ``page``."""

    label: str
    form: str = ""
    page: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuSection:
    """A module of the menu."""

    label: str
    icon: str
    items: tuple[MenuEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HotkeyView:
    """A function key: ``new`` form, or ``page``."""

    key: str
    label: str
    new: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A to-do card; ``index`` opens the list behind it; ``capped`` means there are more than ``count``."""

    label: str
    form: str
    index: int
    count: int
    capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """The home page."""

    tasks: tuple[TaskView, ...]
    cards: tuple[CardView, ...]
    creatable: tuple[MenuEntry, ...]


def menu(door: Door) -> tuple[MenuSection, ...]:
    """Modules with at least one entry the person may open."""
    sections = []
    for group in door.bundle.app.menu:
        entries = tuple(entry for item in group.items if (entry := _entry(door, item)) is not None)
        if entries:
            sections.append(MenuSection(label=group.label.text(door.language), icon=group.icon, items=entries))
    return tuple(sections)


def may_open(door: Door, page: str) -> bool:
    """Whether the person may open a built-in page."""
    if page == "settings":
        return is_administrator(door.actor) or may_see_page(door.bundle, door.actor, page)
    if page == "entries":
        return "on_hand" in stock_measures(door.bundle, door.actor)
    if page == "movements":
        return "on_hand" in stock_measures(door.bundle, door.actor)
    if page == "balances":
        return bool(ledgers_seen(door))
    if page == "health":
        return "value" in stock_measures(door.bundle, door.actor)
    if page == "closing":
        return bool(closing_rights(door.bundle, door.actor))
    if page == "stock":
        return bool(stock_measures(door.bundle, door.actor))
    return may_see_page(door.bundle, door.actor, page) or is_administrator(door.actor)


def hotkeys(door: Door) -> tuple[HotkeyView, ...]:
    """Function keys the person may use."""
    shown = []
    for key, hotkey in door.bundle.app.hotkeys.items():
        allowed = (
            hotkey.new in door.bundle.forms and door.may(door.bundle.forms[hotkey.new], "create")
            if hotkey.new
            else hotkey.page == "home" or may_open(door, hotkey.page or "")
        )
        if allowed:
            shown.append(
                HotkeyView(
                    key=key, label=hotkey.label.text(door.language), new=hotkey.new or "", page=hotkey.page or ""
                )
            )
    return tuple(shown)


def home(door: Door) -> HomeView:
    """Today's tasks and the app's to-do cards, one bounded count per card."""
    cards = []
    with door.reading() as unit:
        for index, (card, condition) in enumerate(zip(door.bundle.app.cards, door.bundle.cards, strict=True)):
            form = door.bundle.forms[card.form]
            if not door.may(form, "read"):
                continue
            names = {"me": unit.around.me, "app": unit.around.app}
            where = compile_where(condition, FormColumns(unit.tables, form.key), names, unit.around.clock)
            rows = row_condition(door, unit, form, door.access(form))
            count = lists.count_up_to(
                unit.connection,
                unit.tables,
                form.key,
                where=where if rows is None else where & rows,
                limit=CARD_LIMIT + 1,
            )
            cards.append(
                CardView(
                    label=card.label.text(door.language),
                    form=form.key,
                    index=index,
                    count=min(count, CARD_LIMIT),
                    capped=count > CARD_LIMIT,
                )
            )
    creatable = tuple(
        entry
        for section in menu(door)
        for entry in section.items
        if entry.form
        and door.may(door.bundle.forms[entry.form], "create")
        and not door.bundle.forms[entry.form].is_master
    )
    return HomeView(tasks=inbox(door, limit=20), cards=tuple(cards), creatable=creatable)


def _entry(door: Door, item: MenuItem) -> MenuEntry | None:
    if item.form is not None:
        form = door.bundle.forms.get(item.form)
        if form is None or not door.may(form, "read"):
            return None
        label = item.label or form.label
        return MenuEntry(label=label.text(door.language), form=form.key, icon=form.definition.icon)
    if item.page is None or not may_open(door, item.page):
        return None
    label_text = (
        item.label.text(door.language) if item.label else door.house.catalogue.ui(f"page.{item.page}", door.language)
    )
    return MenuEntry(label=label_text, page=item.page)


def spellings(entry: MenuEntry) -> tuple[str, ...]:
    """How people may type an entry's name: as it reads, in pinyin or its initials, and by its key."""
    return search_text([entry.label]), (entry.form or entry.page).replace("_", " ")
