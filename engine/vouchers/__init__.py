"""Accounting vouchers (会计凭证) derived from ledger entries; nothing of them is stored."""

from __future__ import annotations

from engine.vouchers.derive import Derived, Movement, Unmapped, Voucher, VoucherLine, derive

__all__ = ["Derived", "Movement", "Unmapped", "Voucher", "VoucherLine", "derive"]
