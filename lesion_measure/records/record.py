"""What the records of results.json have in common: one statement writes, reads, checks and describes each.

The file holds what the annotations say. The sentence below a field is its description in the JSON schema, and so is
that of a computed field, which is written and left alone when it is read.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import math
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    WithJsonSchema,
    WrapValidator,
)
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
    __pydantic_config__ = ConfigDict(strict=True, allow_inf_nan=False)

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

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Pydantic's own, with the sentence below each field.

        ``use_attribute_docstrings`` would read the source of every record in every run, for a schema that few ask for.
        """
        found = handler(schema)
        properties = handler.resolve_ref_schema(found)["properties"]
        for base in reversed(cls.__mro__[: cls.__mro__.index(Record)]):
            for name, sentence in _sentences(base).items():
                if name in properties:
                    properties[name]["description"] = sentence
        return found


def _sentences(record: type) -> dict[str, str]:
    """The docstring below each field of a class."""
    (body,) = ast.parse(inspect.getsource(record)).body
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in itertools.pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
