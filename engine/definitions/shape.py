"""What every definition model has in common: frozen, extra keys forbidden, texts that are expressions or templates.

The names below are aliases with meaning, not checks: expressions and templates are parsed and type-checked against
their scope when a bundle is compiled, where a mistake can be given its line and column.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Key: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
ExpressionText: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=2000, json_schema_extra={"x-expression": True})
]
Percent: TypeAlias = Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)]


def _switched(raw: object) -> object:
    return {"true": True, "false": False}.get(raw, raw) if isinstance(raw, str) else raw


# A constant or a condition. Scalars arrive as texts, so the two constants are told from expressions here.
Switch: TypeAlias = Annotated[bool | ExpressionText, BeforeValidator(_switched)]


class Definition(BaseModel):
    """Parent of all definition models: immutable once read, unknown keys are problems."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
