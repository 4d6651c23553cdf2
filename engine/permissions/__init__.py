"""Permissions: role → form × action × field × rows, decided here and nowhere else."""

from __future__ import annotations

from engine.permissions.decide import (
    Access,
    FormAccess,
    RowFilter,
    admits,
    closing_rights,
    denied,
    form_access,
    is_administrator,
    may_see_page,
    plain_path,
    stock_measures,
    stock_rows,
    write_problems,
)
from engine.permissions.mask import masked

__all__ = (
    "Access",
    "FormAccess",
    "RowFilter",
    "admits",
    "closing_rights",
    "denied",
    "form_access",
    "is_administrator",
    "masked",
    "may_see_page",
    "plain_path",
    "stock_measures",
    "stock_rows",
    "write_problems",
)
