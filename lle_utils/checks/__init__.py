"""Checks of the notebooks' exercises: each takes an answer and says in words what is wrong.

A check never raises, whatever it is given: it returns a verdict, which is true or false and shows
its words. One module per notebook, with the notebook's name, holds its exercises as data: what is
right, what to try it on, and typical mistakes with their diagnoses. `engine` runs them.
"""

# ruff: noqa: F401  (what is imported here is what notebooks call)

from .bend_one_curve import constant_for, is_safe, odds_factor
from .brighten_one_picture import brighten_again, first_guess, one_number
from .build_the_network import count_parameters, far_seeing_network, reach
from .iterate import denoise_order, founding_loop, stop_by_itself
from .let_a_computer_look import block_loss, count_answers, half_way, share_interval
from .look_at_the_dark import brightened_codes, noise_by_level, stops_between_codes
from .measure_honestly import mean_psnr, paired_interval, true_psnr
from .reproduce_the_figures import draw_maps, median_seconds, own_figure
from .train_it import beat_the_constant, perfect_founding, through_the_curve
