"""The chain of entries: each entry's hash covers the one before it in its chain, so that none can be changed unseen.

There is one chain per balance of a ledger's first grain: postings that share no balance never wait for each other.
The heads of all chains are sealed at intervals into one chain of the workspace (see runtime/sealing.py); a seal kept
elsewhere proves that nothing before it was rewritten as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from engine.ledger.entry import Entry
from engine.values import MONEY_SCALE, QUANTITY_SCALE

SEPARATOR = "\x1f"


def link(head: str, entry: Entry) -> str:
    """Hash of ``entry`` as the successor of ``head`` (empty for the first): sha256 in hexadecimal.

    What is hashed is the head and every column of the entry in the order of ``words``, joined by the unit separator;
    the format is documented in docs/ledger.md for independent checkers.
    """
    return linked(head, words(entry))


def linked(head: str, entry_words: Iterable[str]) -> str:
    """`link` of an entry that is in words already."""
    return hashlib.sha256(SEPARATOR.join((head, *entry_words)).encode()).hexdigest()


def words(entry: Entry) -> tuple[str, ...]:
    """The columns of an entry as texts: numbers scaled to integers, days ``YYYY-MM-DD``, moments ISO, none empty."""
    posted = entry.posted_at.isoformat(timespec="microseconds") if entry.posted_at else ""
    return (
        str(entry.id), entry.ledger, str(entry.product), str(entry.warehouse), str(entry.bin), entry.lot, entry.serial,
        entry.status, str(entry.owner), str(entry.partner), str(entry.subject), entry.element, entry.ref_form,
        str(entry.ref_document), str(entry.ref_line), str(int(entry.quantity.scaleb(QUANTITY_SCALE))),
        str(int(entry.value.scaleb(MONEY_SCALE))), str(int(entry.aux.scaleb(QUANTITY_SCALE))),
        entry.due.isoformat() if entry.due else "", entry.move, entry.form, str(entry.document), str(entry.line),
        entry.action, str(entry.batch), entry.biz_date.isoformat(), entry.basis, str(entry.origin),
        str(int(entry.stated.scaleb(MONEY_SCALE))), str(entry.mirror_of or ""), entry.snapshot, posted,
        str(entry.user),
    )  # fmt: skip


def digest(previous: str, heads: Iterable[tuple[str, int, str]]) -> str:
    """Digest of a seal: the previous seal's, then every head as ``key, entries, head`` in the order of keys."""
    lines = (SEPARATOR.join((key, str(entries), head)) for key, entries, head in sorted(heads))
    return hashlib.sha256("\n".join((previous, *lines)).encode()).hexdigest()
