"""Facts: what one rule is judged on. Names and their values, the record they belong to, and the chain that led here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from engine.document import Document
from engine.expressions import Path
from engine.expressions.types import Row

NO_NAMES: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a rule is judged on.

    Attributes:
        names: value by name, as expressions see them (``engine.environment.scene`` for documents).
        form, document: the record it is about, if any. key: under which marks are kept: ``purchase_order:7``.
        trigger: what happened, in a word, for the log: ``submit``, ``schedule`` …
        chain: the rules whose effects led here, oldest first.
        starter: who submitted the document, for ``to: {initiator: true}``.
        about: a record the rule speaks of that is not the document it stands on: the product of a rule on stock.
        about_form: its form.
    """

    names: Mapping[str, object]
    form: str = ""
    document: int | None = None
    key: str = ""
    trigger: str = ""
    chain: tuple[str, ...] = ()
    starter: int = 0
    about: Row | None = None
    about_form: str = ""

    @property
    def row(self) -> Row:
        """The record as other expressions see it under ``row``."""
        return self.about or Row(id=self.document, values=self.names)

    @property
    def record(self) -> tuple[str, int | None]:
        """Form and id of the record the rule is about; what it tags, and what an ``update`` without more changes."""
        return (self.about_form, self.about.id) if self.about is not None else (self.form, self.document)


def document_facts(
    document: Document,
    names: Mapping[str, object],
    *,
    before: Mapping[str, object] | None = None,
    trigger: str = "",
    chain: tuple[str, ...] = (),
    more: Mapping[str, object] = NO_NAMES,
) -> Facts:
    """Facts about a document or record.

    Args:
        names: what its header expressions see.
        before: the same of the state before the change, seen as ``old``; None for a new record.
        more: what the trigger brings: ``flow``, ``offset``, ``imported`` (see ``flow_names`` and its like).
    """
    old = Row(id=document.id, values=before) if before is not None else None
    return Facts(
        names={**names, "old": old, **more},
        form=document.form,
        document=document.id,
        key=f"{document.form}:{document.id}",
        trigger=trigger,
        chain=chain,
        starter=document.creator,
    )


def stock_facts(
    product: Row,
    form: str,
    *,
    on_hand: Decimal,
    reserved: Decimal,
    in_transit: Decimal,
    unusable: Decimal,
    around: Mapping[str, object],
    chain: tuple[str, ...] = (),
) -> Facts:
    """Facts of a rule on stock: one product over all warehouses.

    Args:
        form: the app's product form. unusable: on hand, but not available. around: ``me`` and ``app``.
    """
    names = {
        **around,
        "product": product,
        "on_hand": on_hand,
        "reserved": reserved,
        "in_transit": in_transit,
        "available": on_hand - unusable - reserved,
    }
    return Facts(
        names=names, key=f"product:{product.id}", trigger="ledger", chain=chain, about=product, about_form=form
    )


def balance_facts(
    ledger: str,
    key: str,
    dimensions: Mapping[str, object],
    quantity: Decimal,
    value: Decimal,
    around: Mapping[str, object],
    chain: tuple[str, ...] = (),
) -> Facts:
    """Facts of a rule on another ledger, about one balance.

    Args:
        key: the balance's key as text. dimensions: rows or texts by name; ``around``: ``me`` and ``app``.
    """
    links = dict.fromkeys(("product", "warehouse", "supplier", "customer", "bin", "owner"))
    names = {**around, **links, **dimensions, "quantity": quantity, "value": value}
    return Facts(names=names, key=f"{ledger}:{key}", trigger="ledger", chain=chain)


def plain_facts(names: Mapping[str, object], trigger: str, key: str = "", chain: tuple[str, ...] = ()) -> Facts:
    """Facts about no record: a schedule without a form, an inbound message."""
    return Facts(names=names, key=key, trigger=trigger, chain=chain)


def flow_names(event: str, node: str = "", result: str = "") -> Mapping[str, object]:
    """What a rule on a workflow sees beside the document."""
    return {"flow": Row(id=None, values={"event": event, "node": node, "result": result})}


def import_names(*, rows: int, created: int, updated: int, failed: int) -> Mapping[str, object]:
    """What a rule on imports sees."""
    counted = {"rows": rows, "created": created, "updated": updated, "failed": failed}
    return {"imported": Row(id=None, values={name: Decimal(number) for name, number in counted.items()})}


def offset_names(offset: int) -> Mapping[str, object]:
    """What a rule on a date sees: days or hours after the date, negative before."""
    return {"offset": Decimal(offset)}


def payload_names(payload: Mapping[str, object]) -> Mapping[str, object]:
    """What a rule on an inbound message sees; lists are given as tuples of mappings."""
    values = {
        name: tuple(Row(id=None, values=each) for each in value) if isinstance(value, tuple) else value
        for name, value in payload.items()
    }
    return {"payload": Row(id=None, values=values)}


def changed_paths(old: Document | None, new: Document) -> frozenset[str]:
    """Paths of the fields that differ: ``price``, ``lines.qty``, and ``lines`` when anything in the table does.

    Lines are matched by their id; a line that came or went changes all of its fields.
    """
    if old is None:
        return frozenset(new.values) | {path for table, lines in new.lines.items() for path in _all(table, lines)}
    found = {name for name in {*old.values, *new.values} if old.values.get(name) != new.values.get(name)}
    for table in {*old.lines, *new.lines}:
        before = {line.id: line.values for line in old.lines.get(table, ())}
        after = [(line.id, line.values) for line in new.lines.get(table, ())]
        kept = {identity for identity, _ in after if identity in before}
        for identity, values in after:
            earlier = before.get(identity) if identity is not None else None
            found |= {f"{table}.{name}" for name in values if earlier is None or earlier.get(name) != values.get(name)}
        for identity, values in before.items():
            if identity not in kept:
                found |= {f"{table}.{name}" for name in values}
        if any(path.startswith(f"{table}.") for path in found):
            found.add(table)
    return frozenset(found)


def _all(table: str, lines: Sequence[object]) -> Iterator[str]:
    if lines:
        yield table
        yield from {f"{table}.{name}" for line in lines for name in getattr(line, "values", ())}


def told(names: Mapping[str, object], paths: Iterable[Path]) -> dict[str, object]:
    """The values an expression reads, for the log: text by path; of a line table the values of all lines."""
    return {".".join(path): plain(_followed(names.get(path[0]), path[1:])) for path in paths}


def plain(value: object) -> object:
    """A value as JSON can say it, nothing rounded: numbers and dates as texts, records as their ids."""
    if isinstance(value, Row):
        return value.id
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    return value


def _followed(value: object, path: Path) -> object:
    if isinstance(value, tuple) and (path or (value and isinstance(value[0], Row))):
        return [_followed(each, path) for each in value]
    if not path or not isinstance(value, Row):
        return value if not path else None
    return _followed(value.values.get(path[0]), path[1:])
