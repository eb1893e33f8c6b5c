"""What the records of results.json have in common: one statement writes, reads, checks and describes each.

The file holds what the annotations say. The sentence below a field is its description in the JSON schema, and so is
that of a computed field, which is written and left alone when it is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetPydanticSchema, WithJsonSchema, WrapValidator
from pydantic_core import CoreSchema, core_schema

PIXEL_DIGITS = 3
"""Decimals of an outline's pixel coordinates in a file."""

T = TypeVar("T")


def _null_is_no_number(value: object, check: Callable[[object], float]) -> float:
    return math.nan if value is None else check(value)


def _points(_: object, handler: GetCoreSchemaHandler) -> CoreSchema:
    points = handler.generate_schema(list[tuple[float, float]])
    return core_schema.no_info_after_validator_function(
        lambda known: np.array(known, dtype=np.float64).reshape(-1, 2),
        points,
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda outline: [*map(tuple, np.round(outline.astype(float), PIXEL_DIGITS).tolist())], return_schema=points
        ),
    )


Number = Annotated[float, WrapValidator(_null_is_no_number), WithJsonSchema({"type": ["number", "null"]})]
"""A number that arithmetic may leave undefined, as a change from 0: null in a file, and NaN when it is read."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
PositiveInt = Annotated[int, Field(gt=0)]
Name = Annotated[str, Field(min_length=1)]
VisitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Outline = Annotated[NDArray[np.float64], GetPydanticSchema(_points)]
"""A closed outline, (n, 2) pixels as (row, column)."""
Hidden = Annotated[T, Field(exclude=True), GetPydanticSchema(lambda _, __: core_schema.any_schema())]
"""What a record holds for the report's pictures alone: neither written nor read."""


class Record:
    """A frozen dataclass that results.json holds. A file that lacks one of its fields is refused."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(strict=True, allow_inf_nan=False, use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's own, but for defaults, which are for Python: a file states everything that it may."""
        schema = handler(source)
        fields: Any = handler.resolve_ref_schema(schema)
        for field in fields["schema"]["fields"]:
            if field.get("serialization_exclude"):
                field["init"] = False
            elif field["schema"]["type"] == "default":
                field["schema"] = field["schema"]["schema"]
        return schema
