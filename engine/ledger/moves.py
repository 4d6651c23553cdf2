"""Categories of the stock movement report (收发存汇总表): on which side a move type stands.

A cancellation counts in the category of what it cancels, so does a red document, both with their own sign; hence a side
belongs to the category, never to the sign of a figure. Source: the move types of domain rule B0.7.
"""

from __future__ import annotations

CANCELLED = "_cancel"
OUTWARD = frozenset({"purchase_return", "stocktake_loss", "work_issue", "material_issue", "scrap", "loss", "issue"})
OUTWARD_ENDINGS = ("_out", "_loss", "_issue", "_scrap")


def category(move: str) -> str:
    """The category a move type counts in."""
    return move.removesuffix(CANCELLED)


def outward(move: str) -> bool:
    """Whether a category stands on the side of what goes out; everything else, adjustments of value included, comes
    in."""
    return category(move) in OUTWARD or category(move).endswith(OUTWARD_ENDINGS)
