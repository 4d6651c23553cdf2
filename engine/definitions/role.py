"""``roles/<key>.yaml``: what the holders of a role may do, with which rows and which fields."""

from __future__ import annotations

from typing import Literal

from engine.definitions.form import Action
from engine.definitions.shape import Definition, ExpressionText, Key
from engine.labels import Label

Access = Literal["hidden", "read", "write"]


class Grant(Definition):
    """Actions on forms.

    Attributes:
        forms: form keys; ``*`` means every form of the app.
        actions: ``read`` is implied by any other.
        rows: ``all``, ``department`` (created by me or in my departments), ``own`` (created by me) or a row-filter
            expression (``warehouse.keeper == me``).
        fields: field path (``price``, ``lines.price``) → access; the default is ``write``.
    """

    forms: tuple[str, ...]
    actions: tuple[Action, ...]
    rows: ExpressionText = "all"
    fields: dict[str, Access] = {}


class StockAccess(Definition):
    """What of the stock page the role sees: measures and, by a row filter over ``warehouse``, which warehouses."""

    measures: tuple[Literal["on_hand", "reserved", "in_transit", "available", "value"], ...] = ()
    rows: ExpressionText = "all"


class RoleDef(Definition):
    """A role. Several roles add up: the most permissive access to a row's field wins, except that ``tags`` set to
    ``hidden`` by one role are shown only if another role of the same person sets the tag to ``read`` or ``write``.

    Attributes:
        closing: ``day`` may close the days of a warehouse, ``reopen_day`` may open them again, ``month`` may close
            months; months are opened again by administrators only.
    """

    role: Key
    label: Label
    grants: tuple[Grant, ...] = ()
    tags: dict[Key, Access] = {}
    stock: StockAccess = StockAccess()
    closing: tuple[Literal["day", "reopen_day", "month"], ...] = ()
    pages: tuple[
        Literal["stock", "entries", "ageing", "statement", "vouchers", "tasks", "messages", "import", "settings"],
        ...,
    ] = ("tasks", "messages")
