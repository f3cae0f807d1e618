"""Checks of the notebooks' exercises: each takes an answer and says in words what is wrong.

A check never raises, whatever it is given: it returns a verdict, which is true or false and shows
its words. One module per notebook, with the notebook's name, holds its exercises as data: what is
right, what to try it on, and typical mistakes with their diagnoses. `engine` runs them.
"""

# ruff: noqa: F401  (what is imported here is what notebooks call)

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
from lle_utils.checks.let_a_computer_look import (
    block_loss,
    count_answers,
    half_way,
    share_interval,
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
