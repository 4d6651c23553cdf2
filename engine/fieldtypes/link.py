"""``link``: one record of another form, kept as its id."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from engine.expressions.types import Kind, ValueType
from engine.fieldtypes.contract import NoOptions, Storage
from engine.fieldtypes.identity import IdentityField


class LinkOptions(NoOptions):
    """Options of ``link``.

    Attributes:
        to: form key of the linked record.
        fills: field of this row → field or path of the linked record copied into it when a person picks one; of
            several, the first that is not empty.
        filter: expression over the linked record and this row: which records may be picked.
        quick_create: a missing record may be created from the look-up.
    """

    to: Annotated[str, Field(min_length=1, max_length=48)]
    fills: dict[str, str | Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)
    filter: Annotated[str, Field(max_length=2000)] = ""
    quick_create: bool = False


class Link(IdentityField):
    """关联记录."""

    name: ClassVar[str] = "link"
    options: ClassVar[type[BaseModel]] = LinkOptions
    widget: ClassVar[str] = "link"
    storage: ClassVar[Storage] = Storage.REFERENCE
    unresolved: ClassVar[str] = "link.unresolved"

    def value_type(self, options: BaseModel) -> ValueType:
        return ValueType(Kind.LINK, LinkOptions.of(options).to)
