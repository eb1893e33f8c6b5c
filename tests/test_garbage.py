"""Circular objects: not looked for while modules are loaded, and what these made is never looked at again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from lesion_measure.batch.garbage import loading


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def looked_at(wanted: object) -> bool:
    return any(each is wanted for each in gc.get_objects())


def test_what_modules_made_is_never_looked_at_again() -> None:
    with loading():
        assert not gc.isenabled()
        made: list[object] = []
        assert looked_at(made)
    later: list[object] = []
    assert gc.isenabled()
    assert looked_at(later)
    assert not looked_at(made)


def test_who_turned_it_off_keeps_it_off() -> None:
    gc.disable()
    with loading():
        pass
    assert not gc.isenabled()


def test_a_module_that_cannot_be_loaded_leaves_it_on() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()
