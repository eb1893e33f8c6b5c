"""Networks that MONAI computes. It takes twice as long to load as PyTorch: only a bundle that needs it loads it."""

from __future__ import annotations

from torch import nn

from lesion_measure.errors import ModelError
from lesion_measure.network.definition import MonaiDefinition

_UNBUILDABLE = (ValueError, TypeError, RuntimeError, AssertionError, IndexError, KeyError, ArithmeticError)
"""What MONAI and PyTorch raise on sizes that do not go together, such as channels that no groups divide."""


def build_monai(definition: MonaiDefinition) -> nn.Module:
    """The untrained network, in training mode.

    Raises
    ------
    ModelError
        Its numbers do not go together.
    """
    from monai.networks import nets

    try:
        network: nn.Module = getattr(nets, definition.target)(**definition.arguments())
    except _UNBUILDABLE as error:
        raise ModelError(
            f"A {definition.target} of such numbers cannot be built ({error}).",
            remedy="Change the section 'network'.",
            code="model_config",
        ) from error
    return network
