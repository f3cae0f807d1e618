"""What the figures are made of: held-out pairs, trained weights, and what came of the recursion."""

import functools
import statistics
from dataclasses import dataclass

import numpy as np

from lle_utils import baselines, data, metrics
from lle_utils.curve import Iteration
from lle_utils.enhancer import trace
from lle_utils.images import to_uint8
from lle_utils.weights import load_model

PICTURES = {
    "sample": {
        "hero": ("coffee", "dogs", "raccoon", "admiral", "peaks", "room"),
        "iterations": "raccoon",
        "examples": ("room", "peaks", "coffee"),
        "dial": "coffee",
        "objectives": "raccoon",
    },
    "lol": {
        "hero": ("22", "778", "493", "146", "1", "23"),
        "iterations": "778",
        "examples": ("493", "22", "1"),
        "dial": "1",
        "objectives": "778",
    },
}
"""Which held-out pictures each figure shows. The examples go from the darkest to the brightest.

The baselines are compared on that of the hero's scenes which `Material.median_scene` names.
"""

UNTOUCHED = {"sample": "darkened", "lol": "as taken"}
"""What to call the dark pictures: the sample's were computed, LOL's were taken by a camera."""


@dataclass(frozen=True)
class Panel:
    """One picture of a figure and what is known of it; this is what `figures.json` holds.

    `picture` is the pair's name. `method` is "darkened" or "as taken" if nothing was done to it,
    "enhancer" or "founding" (the weights), or a baseline. `mean_code` is in 0 to 255, `psnr` in
    decibels against the reference, and `mean_map` the mean of the last iteration's map, in [0, 1].
    """

    picture: str
    method: str
    iterations: int | None
    mean_code: float
    psnr: float
    mean_map: float | None = None


class Material:
    """The held-out pairs of a data set ("sample" or "lol"), and the packaged weights."""

    def __init__(self, dataset: str = "sample"):
        self.dataset = dataset
        self.pairs = data.load(dataset, "test")
        self.pictures = PICTURES[dataset]
        self.untouched = UNTOUCHED[dataset]
        self.models = {name: load_model(name) for name in ("enhancer", "founding")}
        self._traces: dict[tuple[str, str], list[Iteration]] = {}

    def pair(self, name: str) -> data.Pair:
        """Return a held-out pair by name."""
        return self.pairs[name]

    def steps(self, name: str, iterations: int = 8, weights: str = "enhancer") -> list[Iteration]:
        """Return `trace` of a pair's dark picture; a longer one computed before is cut short."""
        known = self._traces.get((weights, name), [])
        if len(known) < iterations:
            known = trace(self.models[weights], self.pair(name).low, iterations)
            self._traces[weights, name] = known
        return known[:iterations]

    def enhanced(self, name: str, iterations: int = 8) -> np.ndarray:
        """Return a pair's dark picture after `iterations` iterations of the enhancer."""
        return self.steps(name, iterations)[-1].image

    def median_scene(self) -> str:
        """Return that of the hero's pictures on which the enhancer's PSNR is the median."""
        panels = [
            self.panel(name, "enhancer", self.enhanced(name)) for name in self.pictures["hero"]
        ]
        return statistics.median_low((panel.psnr, panel.picture) for panel in panels)[1]

    @functools.cached_property
    def constant(self) -> float:
        """The one constant m that is best on the training split, at eight iterations."""
        return baselines.fit_constant(data.load(self.dataset, "train", lazy=True))

    def panel(self, name: str, method: str, picture, iterations=None, parameter_map=None) -> Panel:
        """Describe a picture that a figure shows."""
        decibels = metrics.psnr(to_uint8(picture), to_uint8(self.pair(name).high))
        numbers = [round(255 * float(np.mean(picture)), 2), round(decibels, 3)]
        if parameter_map is not None:
            numbers.append(round(float(np.mean(parameter_map)), 4))
        return Panel(name, method, iterations, *numbers)

    def described_steps(self, name: str, weights: str = "enhancer") -> list[Panel]:
        """Describe the dark picture and each of its eight iterations."""
        panels = [self.panel(name, self.untouched, self.pair(name).low)]
        for number, step in enumerate(self.steps(name, 8, weights), 1):
            panels.append(self.panel(name, weights, step.image, number, step.parameter_map))
        return panels
