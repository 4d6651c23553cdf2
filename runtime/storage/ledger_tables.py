"""The tables of the ledgers: entries, what they add up to, layers of cost, lots, closings and seals.

Entries and seals are the truth and append-only. Balances, layers and their uses are projections that `verify` folds
again; what a lot carries (its dates) and which days are closed are facts of their own.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.values import MONEY_SCALE, QUANTITY_SCALE
from runtime.storage.column_types import Scaled
from runtime.storage.table_parts import MOMENT, PRODUCT, WHOLE, identity, json, maybe, moment, number, partial, text

entry = sa.Table(
    "sys_entry",
    PRODUCT,
    identity(allocated=True),
    text("ledger"),
    number("product"),
    number("warehouse"),
    number("partner"),
    text("ref_form"),
    number("ref_document"),
    number("ref_line"),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    sa.Column("value", Scaled(MONEY_SCALE), nullable=False),
    text("move"),
    text("form"),
    number("document"),
    number("line"),
    text("action"),
    number("batch"),
    sa.Column("biz_date", sa.Date, nullable=False),
    moment("posted_at"),
    number("user"),
    sa.Column("mirror_of", sa.BigInteger, nullable=True, unique=True),
    text("snapshot"),
    # Added by the migration `ledger_kernel` to tables that had rows, hence with defaults.
    number("bin", default="0"),
    text("lot", default=""),
    text("serial", default=""),
    text("status", default=""),
    number("owner", default="0"),
    number("subject", default="0"),
    text("element", default=""),
    sa.Column("aux", Scaled(QUANTITY_SCALE), nullable=False, server_default="0"),
    maybe("due", sa.Date()),
    text("basis", default="given"),
    number("origin", default="0"),
    sa.Column("stated", Scaled(MONEY_SCALE), nullable=False, server_default="0"),
    text("hash", default=""),
    sa.Index("ix_sys_entry_document", "form", "document"),
    sa.Index("ix_sys_entry_key", "ledger", "product", "warehouse", "id"),
    sa.Index("ix_sys_entry_day", "ledger", "product", "biz_date", "id"),
    # Dimensions an app does not use cost no index entry.
    sa.Index("ix_sys_entry_lot", "product", "lot", **partial("lot <> ''")),
    sa.Index("ix_sys_entry_serial", "serial", **partial("serial <> ''")),
    sa.Index("ix_sys_entry_subject", "subject", "ledger", "biz_date", **partial("subject <> 0")),
    sa.Index("ix_sys_entry_partner", "ledger", "partner", "id", **partial("partner <> 0")),
    sa.Index("ix_sys_entry_origin", "origin", **partial("origin <> 0")),
    sa.Index("ix_sys_entry_ref", "ref_form", "ref_document", **partial("ref_document <> 0")),
)
balance = sa.Table(
    "sys_balance",
    PRODUCT,
    text("key", key=True),
    text("ledger"),
    text("grain"),
    number("product"),
    number("warehouse"),
    number("bin"),
    text("lot"),
    text("serial"),
    text("status"),
    number("owner"),
    number("partner"),
    number("subject"),
    text("element"),
    text("ref_form"),
    number("ref_document"),
    number("ref_line"),
    text("move"),
    number("month"),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    sa.Column("value", Scaled(MONEY_SCALE), nullable=False),
    maybe("last_day", sa.Date()),
    number("entries"),
    text("head"),
    number("version"),
    maybe("aux", Scaled(QUANTITY_SCALE)),  # most goods have no second quantity, and NULL needs no conversion
    sa.Index("ix_sys_balance_product", "grain", "product", "warehouse"),
    sa.Index("ix_sys_balance_partner", "ledger", "partner", **partial("partner <> 0")),
    sa.Index("ix_sys_balance_subject", "ledger", "subject", **partial("subject <> 0")),
    sqlite_with_rowid=False,
)
layer = sa.Table(
    "sys_layer",
    PRODUCT,
    text("pool", key=True),
    number("entry", key=True),
    number("part", key=True),
    sa.Column("day", sa.Date, nullable=False),
    number("root"),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    sa.Column("value", Scaled(MONEY_SCALE), nullable=False),
    sa.Index("ix_sys_layer_open", "pool", "day", "root", "entry", "part", **partial("quantity <> 0")),
    sa.Index("ix_sys_layer_entry", "entry"),
)
layer_use = sa.Table(
    "sys_layer_use",
    PRODUCT,
    number("entry", key=True),
    number("layer", key=True),
    number("part", key=True),
    sa.Column("quantity", Scaled(QUANTITY_SCALE), nullable=False),
    sa.Column("value", Scaled(MONEY_SCALE), nullable=False),
    sa.Index("ix_sys_layer_use_layer", "layer"),
)
lot = sa.Table(
    "sys_lot",
    PRODUCT,
    number("product", key=True),
    text("lot", key=True),
    maybe("made", sa.Date()),
    maybe("expires", sa.Date()),
    sa.Column("received", sa.Date, nullable=False),
)
closing = sa.Table(
    "sys_closing",
    PRODUCT,
    identity(),
    text("kind"),
    number("warehouse"),
    sa.Column("through", sa.Date, nullable=False),
    moment("closed_at"),
    number("closed_by"),
    json("report"),
    maybe("reopened_at", MOMENT),
    maybe("reopened_by", WHOLE),
    text("reason"),
)
seal = sa.Table(
    "sys_seal",
    PRODUCT,
    identity(),
    moment("sealed_at"),
    number("chains"),
    text("previous"),
    text("digest"),
)
seal_head = sa.Table(
    "sys_seal_head",
    PRODUCT,
    number("seal", key=True),
    text("key", key=True),
    number("entries"),
    text("head"),
    sa.Index("ix_sys_seal_head_key", "key"),
)
LEDGER_TABLES = (entry, balance, layer, layer_use, lot, closing, seal, seal_head)
