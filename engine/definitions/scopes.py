"""Which names an expression sees, by the place it stands at. The table of docs/architecture.md as code.

Records are shared by all scopes of an app: every form under its key, every line table as ``form.table``, the person
asking as ``member`` and the company settings as ``app``. This module only declares; it reads no expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.definitions.app import AppDef
from engine.definitions.form import FieldDef, FormDef
from engine.definitions.options import payload_records
from engine.definitions.system_fields import LINE_NUMBER, LINE_NUMBER_LABEL, SYSTEM_LABELS, system_fields
from engine.expressions import Kind, Scope, ValueType
from engine.expressions.types import BOOLEAN, DEPARTMENT, MEMBER, NOTHING, NUMBER, TEXT
from engine.kinds import Kinds

APP_RECORD, MEMBER_RECORD = "app", "member"
MEASURES = ("on_hand", "reserved", "in_transit", "available")
MEASURE_LABELS = MappingProxyType(
    {"现存量": "on_hand", "占用量": "reserved", "在途量": "in_transit", "可用量": "available"}
)
COMPANY: Mapping[str, ValueType] = MappingProxyType({"me": MEMBER, "app": ValueType(Kind.LINK, APP_RECORD)})
SETTING_TYPES: Mapping[str, ValueType] = MappingProxyType(
    {
        "cost_method": ValueType(Kind.TEXT, choices=("moving_average", "fifo")),
        "cost_scope": ValueType(Kind.TEXT, choices=("company", "warehouse")),
        "cost_by_lot": BOOLEAN,
        "negative_stock": BOOLEAN,
        "back_dating": ValueType(Kind.TEXT, choices=("replay", "forbid")),
        "lot_rule": ValueType(Kind.TEXT, choices=("fefo", "fifo", "manual")),
        "partial_reservation": BOOLEAN,
        "shortage_action": ValueType(Kind.TEXT, choices=("none", "warn", "purchase_request")),
        "lock_hours": NUMBER,
        "over_receipt": NUMBER,
        "over_delivery": NUMBER,
        "short_close": NUMBER,
        "credit_control": ValueType(Kind.TEXT, choices=("off", "warn", "approve", "block")),
        "currency": TEXT,
        "money_decimals": NUMBER,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """The scopes of one app.

    Attributes:
        records: fields by record name. labels: label → key by record name.
        product, warehouse: forms that play these parts; empty when the app names none.
    """

    records: Mapping[str, Mapping[str, ValueType]]
    labels: Mapping[str, Mapping[str, str]]
    product: str
    warehouse: str

    def has_form(self, key: str) -> bool:
        """Whether ``key`` is a form of the app."""
        return key in self.labels and "." not in key

    def header(self, form: str) -> Scope:
        """What header fields, checks, views, workflows, rules and row filters of ``form`` see."""
        return self._scope({**COMPANY, **self.records[form]}, self.labels[form])

    def line(self, form: str, table: str) -> Scope:
        """What the fields of a line table see: their line first, then the header."""
        record = table_record(form, table)
        own, labels = self.records.get(record, {}), self.labels.get(record, {})
        return self._scope({**COMPANY, **self.records[form], **own}, {**self.labels[form], **labels})

    def picked(self, form: str, linked: str, table: str) -> Scope:
        """What the filter of a link sees: the linked record, and the row it is picked for as ``row``."""
        row = ValueType(Kind.LINK, table_record(form, table) if table else form)
        return self._scope({**COMPANY, **self.records.get(linked, {}), "row": row}, self.labels.get(linked, {}))

    def push(self, source: str) -> Scope:
        """What the header map and ``when`` of a push-down see."""
        return self._scope({**COMPANY, "source": ValueType(Kind.LINK, source)}, {})

    def push_line(self, source: str, table: str, *, with_open: bool) -> Scope:
        """What the line map of a push-down sees; ``open`` is what is left in base units."""
        line = ValueType(Kind.LINK, table_record(source, table))
        names = {**self.push(source).names, "line": line}
        return self._scope({**names, "open": NUMBER} if with_open else names, {})

    def ledger_rule(self) -> Scope:
        """What a rule on the stock ledger sees, once per product."""
        product = ValueType(Kind.LINK, self.product)
        return self._scope({"product": product, **dict.fromkeys(MEASURES, NUMBER)}, MEASURE_LABELS)

    def stock_rows(self) -> Scope:
        """What the warehouse filter of a role sees."""
        return self._scope({"me": MEMBER, "warehouse": ValueType(Kind.LINK, self.warehouse)}, {})

    def _scope(self, names: Mapping[str, ValueType], labels: Mapping[str, str]) -> Scope:
        return Scope(
            names=MappingProxyType(dict(names)),
            records=self.records,
            labels=MappingProxyType({**self.labels, "": MappingProxyType(dict(labels))}),
        )


def scopes_of(app: AppDef, forms: Mapping[str, FormDef], kinds: Kinds) -> Scopes:
    """The scopes of an app with ``forms``. Fields of unknown type are left out; they were reported where they stand."""
    warehouse = app.dimensions.warehouse or ""
    place = ValueType(Kind.LINK, warehouse) if warehouse else NOTHING
    options = {name: option.value_type for name, option in app.options.items()}
    records: dict[str, Mapping[str, ValueType]] = {
        APP_RECORD: MappingProxyType({**SETTING_TYPES, **options}),
        **payload_records(app.webhooks),
        MEMBER_RECORD: MappingProxyType({"name": TEXT, "department": DEPARTMENT, "warehouse": place}),
    }
    labels: dict[str, Mapping[str, str]] = {}
    for key, form in forms.items():
        system = system_fields(form)
        own = {name: _type_of(field, key, name, forms, kinds) for name, field in form.fields.items()}
        records[key] = MappingProxyType({**system, **own})
        known = {label: name for label, name in SYSTEM_LABELS.items() if name in system}
        labels[key] = MappingProxyType({**known, **labels_of(form.fields)})
        for name, field in form.fields.items():
            if not field.fields:
                continue
            columns = {column: _type_of(each, key, column, forms, kinds) for column, each in field.fields.items()}
            records[table_record(key, name)] = MappingProxyType({LINE_NUMBER: NUMBER, **columns})
            labels[table_record(key, name)] = MappingProxyType(
                {LINE_NUMBER_LABEL: LINE_NUMBER, **labels_of(field.fields)}
            )
    return Scopes(
        records=MappingProxyType(records),
        labels=MappingProxyType(labels),
        product=app.dimensions.product or "",
        warehouse=warehouse,
    )


def _type_of(field: FieldDef, form: str, key: str, forms: Mapping[str, FormDef], kinds: Kinds) -> ValueType:
    """A line table is told its record; a link into the void agrees with everything, for it was reported already."""
    found = kinds.field_types[field.type].value_type(field.options)
    if found.kind is Kind.LINES:
        return replace(found, record=table_record(form, key))
    return NOTHING if found.kind is Kind.LINK and found.record not in forms else found


def table_record(form: str, table: str) -> str:
    """Name of the record of a line table."""
    return f"{form}.{table}"


def labels_of(fields: Mapping[str, FieldDef]) -> Mapping[str, str]:
    """Chinese and English labels → key; a label two fields share means neither."""
    found: dict[str, str] = {}
    shared: set[str] = set()
    for key, field in fields.items():
        for text in {field.label.zh, field.label.en} - {""}:
            if found.setdefault(text, key) != key:
                shared.add(text)
    return {text: key for text, key in found.items() if text not in shared}
