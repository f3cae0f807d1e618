"""Checks of the exercises in notebook 00, brighten one picture."""

import numpy as np

from lle_utils.checks.verdicts import Wrong, ask, check, compare, numbers

DARK_CODE = 10


def _predict(E):
    """Stand in for a network: a map that depends on the picture, and is smooth."""
    E = np.asarray(E)
    return 0.3 + 0.5 * (1 - E) ** 2 * np.mean(E, axis=-1, keepdims=True) ** 0.25


def _one(value, what: str) -> float:
    found = numbers(value, what)
    if found.size != 1 or not np.isfinite(found).all():
        raise Wrong(f"{what} must be one number.")
    return found.item()


@check
def first_guess(one_round, eight_rounds, black) -> str:
    """Check three predictions: 0.05 after one and eight rounds at M = 1, and 0 after eight."""
    one, eight = _one(one_round, "one_round"), _one(eight_rounds, "eight_rounds")
    never = _one(black, "black")
    if abs(one - 0.1) < 1e-3:
        raise Wrong(
            "0.1 would be twice 0.05. It is a little less: the factor 1 - E = 0.95 stands in the "
            "recursion, too."
        )
    if abs(one - 0.0475) < 1e-3:
        raise Wrong("0.0475 is what is added, M E (1 - E). The pixel keeps what it had.")
    if abs(one - 0.0975) > 5e-4:
        raise Wrong(f"one_round: put E = 0.05 and M = 1 into E + M E (1 - E); it is not {one:g}.")
    if eight > 1:
        raise Wrong(
            f"eight_rounds = {eight:g} is whiter than white. Doubling (or adding) again and again "
            "forgets the factor 1 - E, which shrinks as E grows."
        )
    if abs(eight - 0.0975) < 5e-3:
        raise Wrong("eight_rounds: that is after one round. The next one starts from the result.")
    if abs(eight - 8 * 0.0475 - 0.05) < 5e-3:
        raise Wrong(
            "eight_rounds: you added eight times the same. But each round starts from a brighter "
            "E and adds more at first."
        )
    if abs(eight - (1 - 0.95**256)) > 5e-3:
        raise Wrong(
            f"eight_rounds is not {eight:g}. Let Python do it: a loop of eight times "
            "E = E + E * (1 - E)."
        )
    if never != 0:
        raise Wrong("black: each term of E + M E (1 - E) has a factor E. What is 0 times anything?")
    return (
        "One round at most doubles a dark value, eight rounds make it white: there is room enough. "
        "But an exact 0 stays, so `enhance` first raises it to half a code."
    )


@check
def brighten_again(function) -> str:
    """Check ``function(E, predict, rounds)``: the recursion, with a new map in each round."""
    start = np.random.default_rng(4).uniform(0.01, 0.3, (4, 5, 3))
    for rounds in (3, 1, 0, 8):
        asked = []

        def predict(E, asked=asked):
            picture = numbers(E, "what the network is asked about")
            asked.append(picture.copy())
            if len(asked) > 50:
                raise Wrong("the network was asked 50 times and more. When does it stop?")
            return _predict(picture)

        try:
            found = ask(function, start, predict, rounds, keeps=True)
        except Wrong as wrong:
            if "changes the array" not in str(wrong):
                raise
            raise Wrong(
                "whoever called it has lost the dark picture: E += ... writes into the array that "
                "was handed in. E = E + ... makes a new one."
            ) from None
        path = [start]
        for _ in range(rounds):
            path.append(path[-1] + _predict(path[-1]) * path[-1] * (1 - path[-1]))
        _judge_questions(asked, path, rounds)
        found = numbers(found, "what brighten_again returns")
        if found.shape != start.shape:
            raise Wrong(f"it returns something of shape {found.shape}, not a picture like E.")
        if not np.allclose(found, path[-1], atol=1e-5):
            if rounds and np.allclose(found, path[-2], atol=1e-5):
                raise Wrong("the last round is missing in what it returns.")
            raise Wrong(
                f"for {rounds} rounds the network is asked rightly, but the result is off by up "
                f"to {np.abs(found - path[-1]).max():.3g}."
            )
    return "A new map in each round, from the latest picture, and the caller keeps the dark one."


def _judge_questions(asked: list, path: list, rounds: int) -> None:
    if rounds > 1 and len(asked) == 1:
        raise Wrong(
            f"for {rounds} rounds the network was asked once. The first map is used again and "
            "again, and goes on brightening what is bright already: ask in each round."
        )
    if len(asked) != rounds:
        raise Wrong(f"for {rounds} rounds the network was asked {len(asked)} times.")
    for number, (picture, right) in enumerate(zip(asked, path, strict=False), 1):
        if picture.shape == right.shape and np.allclose(picture, right, atol=1e-5):
            continue
        if picture.shape == path[0].shape and np.allclose(picture, path[0], atol=1e-5):
            raise Wrong(
                "it asks about the dark picture in every round. The answer is always the same map: "
                "ask about the latest E."
            )
        raise Wrong(
            f"in round {number} the network is asked about a picture that the recursion does not "
            "pass through. Is it E + M * E * (1 - E) that goes on?"
        )


@check
def still_dark(function) -> str:
    """Check ``function(E, predict, rounds)``: the share of values below code 10 on the way.

    A list of ``rounds + 1`` shares: before the first round, after it, ..., after the last.
    """

    def way(E, rounds):
        pictures = [np.asarray(E)]
        for _ in range(rounds):
            E = pictures[-1]
            pictures.append(E + _predict(E) * E * (1 - E))
        return pictures

    def right(E, predict, rounds):
        return [np.mean(picture < DARK_CODE / 255) for picture in way(E, rounds)]

    def of(measure):
        return lambda E, predict, rounds: [measure(picture) for picture in way(E, rounds)]

    def first_map(E, predict, rounds):
        M, shares = _predict(E), [np.mean(DARK_CODE / 255 > E)]
        for _ in range(rounds):
            E = E + M * E * (1 - E)
            shares.append(np.mean(DARK_CODE / 255 > E))
        return shares

    rng = np.random.default_rng(0)
    picture = np.exp(rng.uniform(np.log(0.0012), np.log(0.4), (12, 17, 3)))
    at_ten = np.full((1, 1, 3), DARK_CODE / 255)
    probes = [(picture, _predict, 8), (picture[:5, :3], _predict, 4), (picture, _predict, 0)]
    probes += [(at_ten, _predict, 2), (np.zeros((3, 4, 3)), _predict, 3)]
    mistakes = {
        "the share before the first round is missing: rounds + 1 numbers were asked for.": (
            lambda *given: right(*given)[1:]
        ),
        "the share after the last round is missing. Count first, then brighten, and count once "
        "more at the end.": lambda *given: right(*given)[:-1],
        "this is only the last share. Keep one in each round.": lambda *given: right(*given)[-1],
        "all values are below 10, as they lie in [0, 1]. Code 10 is the value 10 / 255.": (
            of(lambda p: np.mean(p < DARK_CODE))
        ),
        "these are counts. For a share divide by how many values there are.": (
            of(lambda p: np.sum(p < DARK_CODE / 255))
        ),
        "these are percent. A share lies between 0 and 1.": (
            of(lambda p: 100 * np.mean(p < DARK_CODE / 255))
        ),
        "this is the share that is bright enough. Asked for is what is still dark.": (
            of(lambda p: np.mean(p >= DARK_CODE / 255))
        ),
        "below code 10 means below it: a value of exactly 10 / 255 does not count.": (
            of(lambda p: np.mean(p <= DARK_CODE / 255))
        ),
        "you round to whole codes first, so 9.7 codes counts as 10. It is below 10.": (
            of(lambda p: np.mean(np.round(255 * p) < DARK_CODE))
        ),
        "you count pixels, by the mean of their colors. Count values: each pixel has three.": (
            of(lambda p: np.mean(p.mean(-1) < DARK_CODE / 255))
        ),
        "you count pixels that are dark in all colors. Count values: each pixel has three.": (
            of(lambda p: np.mean((p < DARK_CODE / 255).all(-1)))
        ),
        "you count pixels that are dark in some color. Count values: each pixel has three.": (
            of(lambda p: np.mean((p < DARK_CODE / 255).any(-1)))
        ),
        "the first map is used again and again. Ask `predict` in each round.": first_map,
        "it never brightens: each share is that of the dark picture.": (
            lambda E, predict, rounds: (rounds + 1) * right(E, predict, 0)
        ),
    }
    compare(function, right, probes, mistakes)
    return "The share falls from round to round, but what is exactly 0 stays where it is."


@check
def one_number(network) -> str:
    """Check a Keras network whose map is one number, the same everywhere, that can be trained."""
    import keras

    if not isinstance(network, keras.Model):
        raise Wrong(f"a keras.Model was asked for, and this is a {type(network).__name__}.")
    rng = np.random.default_rng(1)
    pictures = rng.uniform(0, 0.5, (2, 9, 14, 3)).astype(np.float32)
    pictures[1] += 0.5
    _maps(network, pictures)
    if not network.trainable_variables:
        raise Wrong("there is nothing to train in it: the number must be a weight.")
    before = network.get_weights()
    try:
        # Whatever the weights become: the first map may be even only because they start at 0.
        network.set_weights([rng.normal(0, 1, w.shape).astype(w.dtype) for w in before])
        _judge_one_number(_maps(network, pictures), _maps(network, pictures[:, :5, :8]))
        for shift in (-50, 50):
            network.set_weights([weights + shift for weights in before])
            maps = _maps(network, pictures)
            if not (maps.min() >= 0 and maps.max() <= 1):
                raise Wrong(
                    f"with other weights the number is {maps.max():.3g}: outside of [0, 1]. What "
                    "must the last layer end in?"
                )
        network.set_weights(before)
        reached = _trained_to(network, 0.3)
    finally:
        network.set_weights(before)
    if abs(reached - 0.3) > 0.05:
        raise Wrong(
            "training does not move it: it was shown pictures that were made with m = 0.3, and "
            f"after 80 steps it says {reached:.2f}. Does the loss depend on its weights?"
        )
    count = network.count_params()
    return (
        f"{count:,} parameter{'s' if count > 1 else ''}, and one number for every pixel of every "
        "picture. Trained, it is the constant of notebook 02, which every network here must beat."
    )


def _maps(network, pictures) -> np.ndarray:
    """Return a network's maps of pictures, or say that they are no maps of one channel."""
    import keras

    maps = keras.ops.convert_to_numpy(network(pictures))
    wanted = (*pictures.shape[:3], 1)
    if maps.ndim != 4 or any(m not in (1, w) for m, w in zip(maps.shape, wanted, strict=True)):
        if maps.shape[-1:] == (3,):
            raise Wrong("it has three channels, so a number for each color. One was asked for.")
        raise Wrong(
            f"pictures of shape {pictures.shape} give maps of shape {maps.shape}; {wanted} was "
            "asked for."
        )
    return np.broadcast_to(maps, wanted)


def _judge_one_number(maps: np.ndarray, smaller: np.ndarray) -> None:
    if np.ptp(maps, axis=(1, 2)).max() > 1e-5:
        raise Wrong(
            "with other weights than its first ones the map differs from pixel to pixel. Nothing "
            "of the picture may get through: what makes every picture the same?"
        )
    if np.ptp(maps) > 1e-5:
        raise Wrong(
            "it is one number for each picture, and another for the next picture. Averaging the "
            "map is not enough: nothing of the picture may get through."
        )
    if abs(maps[0, 0, 0, 0] - smaller[0, 0, 0, 0]) > 1e-5:
        raise Wrong("it is another number for pictures of another size.")


def _trained_to(network, m: float) -> float:
    """Train a network through eight rounds towards what a constant m gives; return its number."""
    import keras

    low = np.random.default_rng(2).uniform(0.02, 0.2, (4, 8, 8, 3)).astype(np.float32)
    high = low
    for _ in range(8):
        high = high + m * high * (1 - high)
    E = picture = keras.Input(low.shape[1:])
    for _ in range(8):
        E = E + network(E) * E * (1 - E)
    trainee = keras.Model(picture, E)
    trainee.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse", jit_compile=False)
    trainee.fit(low, high, batch_size=4, epochs=80, verbose=0)
    return float(_maps(network, low).mean())
