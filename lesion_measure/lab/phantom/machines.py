"""Random probes and scanner settings, within what abdominal ultrasound of children and adults uses."""

from __future__ import annotations

import numpy as np

from lesion_measure.lab.phantom.acoustics import Machine
from lesion_measure.lab.phantom.beams import Probe


def random_probe(rng: np.random.Generator, body: float) -> Probe:
    """An abdominal probe that suits the patient: higher frequency and smaller face for the small."""
    small = bool(rng.random() < (0.45 if body < 0.75 else 0.05))
    frequency = float(rng.uniform(2.6, 4.6) / body**0.6)
    return Probe(
        radius_mm=float(rng.uniform(11, 20) if small else rng.uniform(40, 65) * max(body, 0.75)),
        field_deg=float(rng.uniform(75, 110) if small else rng.uniform(54, 76)),
        frequency_mhz=min(frequency, 8.0),
        aperture_mm=float(rng.uniform(14, 24) * body**0.5),
        f_number=float(rng.uniform(1.6, 2.8)),
        focus_mm=float(rng.uniform(45, 95) * body),
        cycles=float(rng.uniform(1.6, 3.0)),
    )


def random_machine(rng: np.random.Generator, body: float) -> Machine:
    """Settings as different operators and vendors leave them."""
    losses = rng.uniform(0, 9, 2) + (rng.random(2) < 0.35) * rng.uniform(8, 35, 2)
    return Machine(
        depth_mm=float(rng.uniform(105, 185) * body),
        dynamic_range_db=float(rng.uniform(42, 66)),
        liver_gray=float(rng.uniform(0.27, 0.58)),
        gamma=float(rng.uniform(0.95, 1.6)),
        gain_slope_db=float(rng.normal(-3, 6)),
        noise_db=float(rng.uniform(-30, -8)),
        looks=int(rng.choice([1, 2, 3, 4], p=[0.2, 0.35, 0.3, 0.15])),
        edge_loss_db=(float(losses[0]), float(losses[1])),
        smooth_px=float(rng.uniform(0.3, 1.1)),
        pedestal=int(rng.integers(15, 42)) if rng.random() < 0.15 else 0,
    )
