"""The field types that come with the product: one file and one class each, all under the contract of ``contract.py``.

``BUILT_IN`` lists them by the name written in ``type:``. It is what the built-in plugin hands to ``Kinds``; nothing
else looks a type up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.fieldtypes.address import Address
from engine.fieldtypes.attachment import Attachment
from engine.fieldtypes.barcode import Barcode
from engine.fieldtypes.boolean import Boolean
from engine.fieldtypes.choice import Choice
from engine.fieldtypes.contract import FieldType
from engine.fieldtypes.date import Date
from engine.fieldtypes.datetime import Datetime
from engine.fieldtypes.department import Department
from engine.fieldtypes.email import Email
from engine.fieldtypes.formula import Formula
from engine.fieldtypes.image import Image
from engine.fieldtypes.integer import Integer
from engine.fieldtypes.lines import Lines
from engine.fieldtypes.link import Link
from engine.fieldtypes.long_text import LongText
from engine.fieldtypes.member import Member
from engine.fieldtypes.money import Money
from engine.fieldtypes.multi_choice import MultiChoice
from engine.fieldtypes.number import Number
from engine.fieldtypes.open_item import OpenItem
from engine.fieldtypes.percent import Percent
from engine.fieldtypes.phone import Phone
from engine.fieldtypes.price import Price
from engine.fieldtypes.quantity import Quantity
from engine.fieldtypes.serial_number import SerialNumber
from engine.fieldtypes.text import Text

BUILT_IN: Mapping[str, FieldType] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Text(), LongText(), Choice(), MultiChoice(), Boolean(), Date(), Datetime(),
            Number(), Integer(), Quantity(), Price(), Money(), Percent(),
            Link(), Lines(), Member(), Department(), Attachment(), Image(),
            Formula(), SerialNumber(), Barcode(), Phone(), Email(), Address(), OpenItem(),
        )
    }
)  # fmt: skip

__all__ = [
    "BUILT_IN",
    "Address", "Attachment", "Barcode", "Boolean", "Choice", "Date", "Datetime", "Department", "Email", "Formula",
    "Image", "Integer", "Lines", "Link", "LongText", "Member", "Money", "MultiChoice", "Number", "OpenItem", "Percent",
    "Phone", "Price", "Quantity", "SerialNumber", "Text",
]  # fmt: skip
