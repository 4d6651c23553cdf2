"""``department``: a department of the company, kept as its id."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from engine.expressions.types import DEPARTMENT, ValueType
from engine.fieldtypes.identity import IdentityField


class Department(IdentityField):
    """部门."""

    name: ClassVar[str] = "department"
    widget: ClassVar[str] = "department"
    unresolved: ClassVar[str] = "field.department_unresolved"

    def value_type(self, options: BaseModel) -> ValueType:
        return DEPARTMENT
