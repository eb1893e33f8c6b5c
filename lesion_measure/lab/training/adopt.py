"""A bundle that others made with MONAI becomes one of ours: what it does not say has to be given, not guessed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import make_folder, replacing_folder, write_bytes, write_json, write_text
from lesion_measure.lab.training.checked import check_answer
from lesion_measure.lab.training.export import LICENCE, begun_metadata, inference_config, write_graph
from lesion_measure.lab.training.foreign import ForeignBundle, read_foreign
from lesion_measure.network.bundle import (
    INFERENCE,
    METADATA,
    WEIGHTS,
    Activation,
    Answer,
    Axis,
    BundleSettings,
    StoredFile,
    StoredNetwork,
    graph_path,
)
from lesion_measure.network.onnx_graph import onnx_graph
from lesion_measure.network.weights import load_network
from lesion_measure.network.window import Intensity, Preprocessing

_INTENSITIES: dict[tuple[float, float], Intensity] = {(0.0, 1.0): "unit", (0.0, 255.0): "grey"}
_BACKGROUND, _LESION = "background", ("lesion", "tumor", "tumour", "mass")


@dataclass(frozen=True, slots=True)
class Stated:
    """What the user says of a bundle; None where its metadata tell.

    Attributes
    ----------
    size
        Side of the square grid that it was trained on.
    intensity
        What its pictures' numbers were: ``unit``, ``grey`` or ``normalised`` (`Preprocessing`).
    activation
        How its channels become probabilities: ``sigmoid`` or ``softmax``.
    lesion
        Its channels that are lesion, from 0.
    first_axis
        Which axis of its pictures came first, ``rows`` or ``columns``; no metadata tell.
    """

    size: int | None = None
    intensity: Intensity | None = None
    activation: Activation | None = None
    lesion: Sequence[int] = ()
    first_axis: Axis | None = None


def adopt(source: Path, out: Path, stated: Stated) -> Path:
    """Write a bundle of ours from one that was made with MONAI; its weights stay as they are.

    Raises
    ------
    ModelError
        The bundle cannot be read, or its weights do not fit its network.
    ConfigError
        Something is neither stated nor in the metadata, or the network does not answer as it should.
    OutputError
        The folder is there already, or cannot be written.
    """
    foreign = read_foreign(source)
    answer = _answer(foreign, stated)
    settings = _settings(foreign, stated, answer)
    if out.exists():
        raise ConfigError("The folder is there already.", remedy="Give another --out.", path=str(out))
    with replacing_folder(out, "model bundle") as partial:
        for folder in ("configs", "models", "docs"):
            make_folder(partial / folder)
        write_bytes(partial / WEIGHTS, memoryview(foreign.weights), "weights")
        digest = hashlib.sha256(foreign.weights).hexdigest()
        side = settings.preprocessing.size
        stored = StoredNetwork(foreign.definition, side, StoredFile(partial / WEIGHTS, digest), None, answer)
        network = load_network(stored)
        check_answer("adopted", network, 1, side)
        graphs = {}
        if find_spec("onnx"):
            graph = onnx_graph(network, side)
            graphs["onnx_sha256"] = write_graph(graph_path(partial / WEIGHTS), graph)
        write_json(partial / INFERENCE, inference_config({"network_def": foreign.definition}, settings), indent=2)
        write_json(partial / METADATA, _metadata(out.name, foreign, digest, graphs), indent=2)
        write_text(partial / "docs/README.md", _card(out.name, foreign, settings, answer, digest))
        write_text(partial / "LICENSE", LICENCE)
    return out


def _settings(foreign: ForeignBundle, stated: Stated, answer: Answer) -> BundleSettings:
    """How the bundle is run, each number stated by the user or by the metadata."""
    side = stated.size or foreign.side
    if side is None:
        raise _unsaid("the size of its grid", "--size 256")
    step = foreign.definition.grid_step
    if side % step:
        raise ConfigError(
            f"The size must be a multiple of {step}, as {max(side // step, 1) * step}; it is {side}.",
            remedy="Give another --size.",
        )
    intensity = stated.intensity
    if intensity is None and foreign.value_range is not None:
        intensity = _INTENSITIES.get(foreign.value_range)
    if intensity is None:
        raise _unsaid("the numbers that its pictures had", "--intensity unit (0 to 1), grey (0 to 255) or normalised")
    preprocessing = Preprocessing(size=side, intensity=intensity, level_percentile=100)
    return BundleSettings(preprocessing=preprocessing, second_pass=False, answer=answer)


def _answer(foreign: ForeignBundle, stated: Stated) -> Answer:
    channels = foreign.definition.out_channels
    named = tuple(sorted(place for place, text in foreign.labels.items() if text in _LESION))
    lesion = tuple(stated.lesion) or named or ((0,) if channels == 1 else ())
    if not lesion:
        raise _unsaid("which of its channels are lesion", "--lesion 1")
    activation = stated.activation or ("sigmoid" if channels == 1 else None)
    if activation is None and _BACKGROUND in foreign.labels.values():
        activation = "softmax"
    if activation is None:
        raise _unsaid("how its channels become probabilities", "--activation softmax or sigmoid")
    if stated.first_axis is None:
        raise _unsaid(
            "which axis of its pictures came first",
            "--first-axis columns (as MONAI's LoadImage gives PNG and JPEG) or rows (as other readers do)",
        )
    try:
        answer = Answer(activation=activation, lesion=lesion, first_axis=stated.first_axis)
        answer.check(channels)
    except ValueError as error:
        raise ConfigError("These are no channels of its answer.", remedy=f"It has {channels}, from 0.") from error
    return answer


def _unsaid(what: str, option: str) -> ConfigError:
    return ConfigError(
        f"The bundle's metadata do not say {what}, and it is not guessed.", remedy=f"Give it, such as {option}."
    )


def _metadata(name: str, foreign: ForeignBundle, digest: str, graphs: dict[str, str]) -> dict[str, Any]:
    return {
        **begun_metadata(name, foreign.version, "adopted by lesion-measure"),
        "task": "Lesion segmentation in B-mode ultrasound, automatic",
        "description": f"Adopted from the MONAI bundle {foreign.name} {foreign.version}.",
        "authors": "see the bundle that it was adopted from",
        "copyright": "see the bundle that it was adopted from",
        "weights_sha256": digest,
        **graphs,
    }


def _card(name: str, foreign: ForeignBundle, settings: BundleSettings, answer: Answer, digest: str) -> str:
    shown, lesion = settings.preprocessing, ", ".join(map(str, answer.lesion))
    return f"""# {name} {foreign.version}

Adopted from the MONAI bundle `{foreign.name}` {foreign.version}; its weights are unchanged.
Research use only; not a medical device.

- Network: MONAI {foreign.definition.target}, {shown.size} x {shown.size} pixels.
- Input: {foreign.definition.in_channels} channel, intensity `{shown.intensity}`. The picture keeps its proportions.
- Axes: {answer.first_axis} first, as its pictures lay when it learnt.
- Answer: {answer.activation} of {foreign.definition.out_channels} channels; lesion: {lesion}.
- SHA-256 of the weights: `{digest}`.

Nothing was measured with it here. Its confidence is not fitted, so nothing that it draws is accepted: its outlines are
proposals. `lesion-measure evaluate DATA --model {name}` tells its figures on your own pictures. Which pictures it was
trained on is not known here. Calipers choose among what it draws on the whole picture; it was never taught them.
"""
