"""Checks of the notebooks' exercises: each takes an answer and says in words what is wrong.

A check never raises, whatever it is given: it returns a verdict, which is true or false and shows
its words. One module per notebook, with the notebook's name, holds its exercises as data: what is
right, what to try it on, and typical mistakes with their diagnoses. `engine` runs them.
"""

from lle_utils.checks.bend_one_curve import (
    constant_for,
    first_values,
    is_safe,
    odds_factor,
    steps_for,
)
from lle_utils.checks.brighten_one_picture import (
    brighten_again,
    first_guess,
    one_number,
    still_dark,
)
from lle_utils.checks.build_the_network import (
    count_parameters,
    far_seeing_network,
    half_the_cost,
    neighbor_kernel,
    reach,
)
from lle_utils.checks.iterate import (
    denoise,
    founding_loop,
    iterations_for,
    recursion,
    stop_by_itself,
)
from lle_utils.checks.look_at_the_dark import (
    brightened_codes,
    group_scenes,
    noise_by_level,
    scene_split,
    stops_between_codes,
)
from lle_utils.checks.measure_honestly import (
    leave_one_out,
    main_fault,
    mean_psnr,
    paired_interval,
    true_psnr,
)
from lle_utils.checks.reproduce_the_figures import (
    agree,
    draw_maps,
    median_seconds,
    own_figure,
)
from lle_utils.checks.train_it import (
    batch_order,
    beat_the_constant,
    perfect_founding,
    through_the_curve,
)

__all__ = [
    "agree",
    "batch_order",
    "beat_the_constant",
    "brighten_again",
    "brightened_codes",
    "constant_for",
    "count_parameters",
    "denoise",
    "draw_maps",
    "far_seeing_network",
    "first_guess",
    "first_values",
    "founding_loop",
    "group_scenes",
    "half_the_cost",
    "is_safe",
    "iterations_for",
    "leave_one_out",
    "main_fault",
    "mean_psnr",
    "median_seconds",
    "neighbor_kernel",
    "noise_by_level",
    "odds_factor",
    "one_number",
    "own_figure",
    "paired_interval",
    "perfect_founding",
    "reach",
    "recursion",
    "scene_split",
    "steps_for",
    "still_dark",
    "stop_by_itself",
    "stops_between_codes",
    "through_the_curve",
    "true_psnr",
]
