"""``member``: a person who works in the workspace, kept as the user id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from engine.expressions.types import MEMBER, ValueType
from engine.fieldtypes.contract import NoOptions
from engine.fieldtypes.identity import IdentityField


class MemberOptions(NoOptions):
    """Options of ``member``: only people with this role are offered; empty for everybody."""

    role: str = ""


class Member(IdentityField):
    """成员."""

    name: ClassVar[str] = "member"
    options: ClassVar[type[BaseModel]] = MemberOptions
    widget: ClassVar[str] = "member"
    unresolved: ClassVar[str] = "field.member_unresolved"

    def value_type(self, options: BaseModel) -> ValueType:
        return MEMBER
