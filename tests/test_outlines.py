"""Outlines of many arrays at once, as a script asks for them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import lesion_measure
from lesion_measure.errors import ConfigError, MeasurementError
from lesion_measure.files.shipped import find_model
from lesion_measure.network import Segmenter
from test_evaluation_command import drawing

CALIPER = ((60.0, 52.0), (60.0, 108.0))


@pytest.fixture(scope="module")
def arrays() -> list[NDArray[np.uint8]]:
    return [drawing(number)[0] for number in range(3)]


def test_they_are_those_of_one_after_the_other(arrays: list[NDArray[np.uint8]]) -> None:
    segmenter = Segmenter.from_bundle(find_model(None))
    found = lesion_measure.outlines(arrays, [[CALIPER], None, None])
    for image, prompt, lesions in zip(arrays, ([CALIPER], None, None), found, strict=True):
        expected = segmenter.segment(image, prompt).lesions
        assert len(lesions) == len(expected)
        for one, other in zip(lesions, expected, strict=True):
            np.testing.assert_array_equal(one.probability, other.probability)
            assert (one.origin, one.confidence, one.accepted) == (other.origin, other.confidence, other.accepted)
    mask = drawing(0)[1]
    middle = found[0][0].outline_px[:-1].mean(axis=0)
    np.testing.assert_allclose(middle, np.argwhere(mask).mean(axis=0), atol=3)


def test_processes_change_nothing(arrays: list[NDArray[np.uint8]]) -> None:
    one, two = (lesion_measure.outlines(arrays, jobs=jobs) for jobs in (1, 2))
    for first, second in zip(one, two, strict=True):
        assert [lesion.confidence for lesion in first] == [lesion.confidence for lesion in second]
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a.outline_px, b.outline_px)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_picture_that_cannot_be_outlined_is_numbered(arrays: list[NDArray[np.uint8]], jobs: int) -> None:
    with pytest.raises(MeasurementError) as caught:
        lesion_measure.outlines([arrays[0], np.zeros(5)], jobs=jobs)
    assert caught.value.path == "picture 1"
    with pytest.raises(ConfigError, match="give as many"):
        lesion_measure.outlines(arrays, [[CALIPER]])
    assert lesion_measure.outlines([]) == []
