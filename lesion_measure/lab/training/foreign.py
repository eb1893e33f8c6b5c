"""A bundle that others made with MONAI, as it lies on disk: architecture, weights and what its metadata tell.

It is read without trust: bounded, as plain data. Of its ``inference.json`` the section ``network_def`` alone is read,
in which ``@name`` may stand for a plain value of the file; nothing is evaluated.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from lesion_measure.errors import ModelError
from lesion_measure.files.reading import parse_json
from lesion_measure.network.bundle import (
    INFERENCE,
    MAX_JSON_BYTES,
    MAX_WEIGHTS_BYTES,
    METADATA,
    WEIGHTS,
    read_bundle_file,
)
from lesion_measure.network.definition import TARGETS, AnyDefinition
from lesion_measure.network.weights import load_saved, load_state

REMEDY = "lesion-measure help models tells which bundles can be adopted."
_HOME = "monai.networks.nets."
_INNER = ("model", "state_dict", "network")
"""Under which a checkpoint of MONAI's engines keeps the network's weights among others."""


@dataclass(frozen=True, slots=True, eq=False)
class ForeignBundle:
    """What is known of a bundle: ``weights`` are the bytes of a plain state dict, ``value_range`` and ``labels`` (by
    channel, lower case) what its metadata say of input and output, None or empty where they do not."""

    name: str
    version: str
    definition: AnyDefinition
    weights: bytes
    side: int | None
    value_range: tuple[float, float] | None
    labels: Mapping[int, str]


def read_foreign(path: Path) -> ForeignBundle:
    """Read a bundle that was made with MONAI.

    Raises
    ------
    ModelError
        A file is missing or not understood, or the network is none that is built here.
    """
    if not path.is_dir():
        raise ModelError("The model bundle is not a folder that exists.", remedy=REMEDY, path=str(path))
    metadata = _json(path / METADATA)
    inference = _json(path / INFERENCE)
    tensors = _section(metadata, "network_data_format")
    taken, given = (_first(_section(tensors, side)) for side in ("inputs", "outputs"))
    return ForeignBundle(
        name=str(metadata.get("name", path.name))[:200],
        version=str(metadata.get("version", "unknown"))[:50],
        definition=definition_of(inference, path / INFERENCE),
        weights=_weights(path / WEIGHTS),
        side=_side(taken.get("spatial_shape")),
        value_range=_range(taken.get("value_range")),
        labels={int(key): str(text).lower() for key, text in _section(given, "channel_def").items() if key.isdecimal()},
    )


def definition_of(inference: Mapping[str, Any], path: Path) -> AnyDefinition:
    """The architecture that ``network_def`` states, completed by what MONAI's class takes where it is silent.

    Raises
    ------
    ModelError
        It is none of `TARGETS`, or has an argument that is not built here.
    """
    from monai.networks import nets

    stated = {key: _resolved(value, inference) for key, value in _section(inference, "network_def").items()}
    target = str(stated.pop("_target_", ""))
    if target.startswith(_HOME):
        target = target.rpartition(".")[2]
    if target not in TARGETS or not hasattr(nets, target):
        known = ", ".join(name for name in TARGETS if hasattr(nets, name))
        raise _refused(f"its network is '{target[:80]}', and those that are built here are {known}", path)
    defaults = {
        name: each.default
        for name, each in inspect.signature(getattr(nets, target)).parameters.items()
        if each.default is not inspect.Parameter.empty
    }
    if target == "FlexibleUNet":
        stated["pretrained"] = False  # the weights are the bundle's
    whole = {**defaults, **stated}
    known_here = _fields(target)
    for name in sorted(whole.keys() - known_here):
        if whole[name] != defaults.get(name):
            raise _refused(f"the argument '{name[:80]}' of its network is not taken here", path)
    given = {name: value for name, value in whole.items() if name in known_here}
    try:
        definition: AnyDefinition = TypeAdapter(AnyDefinition).validate_python({"_target_": target, **_plain(given)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise _refused(f"network_def.{where}: {first['msg']}", path) from error
    if definition.in_channels != 1:
        raise _refused(f"its network takes {definition.in_channels} channels, and a picture is one", path)
    return definition


def _fields(target: str) -> set[str]:
    from lesion_measure.network import definition

    kinds = [each for each in vars(definition).values() if isinstance(each, type) and hasattr(each, "model_fields")]
    found = next(kind for kind in kinds if "target" in kind.model_fields and kind().target == target)
    return set(found.model_fields) - {"target"}


def _plain(value: Any) -> Any:
    """MONAI's defaults as a file would state them."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return getattr(value, "value", value)  # of an enumeration


def _resolved(value: Any, inference: Mapping[str, Any]) -> Any:
    """A value of ``network_def``; ``@name`` is a plain value of the same file."""
    if isinstance(value, str) and value.startswith("@") and not isinstance(inference.get(value[1:]), str | None):
        return inference[value[1:]]
    return value


def _weights(path: Path) -> bytes:
    """A plain state dict: the file as it is, or what lies in the checkpoint of an engine of MONAI's."""
    data = read_bundle_file(path, MAX_WEIGHTS_BYTES)
    found = load_saved(data, path)
    inner = [found[name] for name in _INNER if isinstance(found.get(name), dict)] if isinstance(found, dict) else []
    if inner:
        buffer = io.BytesIO()
        torch.save(inner[0], buffer)
        data = buffer.getvalue()
    load_state(data, path)
    return data


def _json(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_bundle_file(path, MAX_JSON_BYTES))
    except ValueError as error:
        raise _refused(f"it is not valid JSON: {error}", path) from error
    if not isinstance(content, dict):
        raise _refused("it is no mapping", path)
    return content


def _section(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _first(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The one tensor that a network takes or gives."""
    found = next(iter(tensors.values()), None)
    return found if isinstance(found, dict) else {}


def _side(shape: object) -> int | None:
    """The side of a square grid; None where the metadata state another or any."""
    if isinstance(shape, list) and len(shape) == 2 and isinstance(shape[0], int) and shape[0] == shape[1]:
        return shape[0]
    return None


def _range(stated: object) -> tuple[float, float] | None:
    if isinstance(stated, list) and len(stated) == 2 and all(isinstance(each, int | float) for each in stated):
        return float(stated[0]), float(stated[1])
    return None


def _refused(why: str, path: Path) -> ModelError:
    return ModelError(f"The bundle cannot be adopted: {why}.", remedy=REMEDY, code="model_config", path=str(path))
