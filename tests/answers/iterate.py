"""Answers to the exercises of the notebook that is called iterate."""

LINE = "def {0}:\n    return {1}"

RIGHT = {
    "5.1": """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    E = img
    while index > 0:
        M = predict(E)
        if flag:
            E, flag = E / 255, 0
        E = E * (1 + M - M * E)
        index -= 1
    return E
""",
    "5.2": """
def my_recurse(image, predict_map, iterations, step=0):
    if iterations > 0:
        M = predict_map(image, step)
        return my_recurse(brighten(image, M), predict_map, iterations - 1, step=step + 1)
    return image
""",
    "5.3": """
def choose_iterations(image):
    for limit, n in ((10, 12), (20, 8)):
        if np.sum(image) < limit / 255 * image.size:
            return n
    return 7
""",
    "5.4": """
def iterate_until(image, predict_map, tolerance, most):
    for step in range(most):
        new = brighten(image, predict_map(image, step))
        if np.all(np.abs(new - image) <= tolerance):
            return new, step + 1
        image = new
    return image, most
""",
    "5.5": """
order_matters = dict(median=0, gaussian=1)
def quiet(dark, bend):
    import cv2
    bright = np.rint(255 * np.clip(bend(dark), 0, 1)).astype("uint8")
    return cv2.fastNlMeansDenoisingColored(bright, None, 14, 14, 5, 13) / 255
""",
}

WRONG = {
    "5.1": [
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n    E = img / 255\n"
            "    for _ in range(index):\n        E = E + predict(E) * E * (1 - E)\n    return E",
            "before it asks the network",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n"
            "    for _ in range(index):\n        M = predict(img)\n        img = img / 255\n"
            "        img = img + M * img * (1 - img)\n    return img",
            "in every round",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n    E = img / 255\n"
            "    M = predict(img)\n    for _ in range(index):\n        E = E + M * E * (1 - E)\n"
            "        M = predict(E)\n    return E",
            "was asked 4 times and not 3",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n"
            "    for _ in range(index):\n        M = predict(img)\n        if flag:\n"
            "            img /= 255\n            flag = 0\n        img = brighten(img, M)\n"
            "    return img",
            "it changes the array",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n    if index == 0:\n"
            "        return img\n    E = img / 255 if flag else img\n"
            "    E = brighten(E, predict(img))\n"
            "    return enhance_in_a_loop(E, index - 1, 0, predict=predict)",
            "write a loop",
        ),
        (
            "def enhance_in_a_loop(img, index, flag=1, *, predict):\n"
            "    while True:\n        predict(img)",
            "When does it stop?",
        ),
        (
            """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    for i in range(index):
        M, E = predict(img), img / 255 if flag else img
        img, flag = E + M * E * (1 - img), 0
    return img
""",
            "every E is the divided one",
        ),
        (
            """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    for i in range(index):
        M = predict(img)
        img = brighten(img if i else img / 255, M)
    return img
""",
            "divides though flag is 0",
        ),
        (
            """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    E = img / 255 if flag else img
    for i in range(index):
        E = brighten(E, predict(img))
    return E
""",
            "sees values above 1",
        ),
        (
            """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    for i in range(index):
        M, E = predict(img), img / 255 if flag else img
        img, flag = brighten(E, M), 0
        return img
""",
            "was asked 1 times and not 3",
        ),
        (
            """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    img = img / 255 if flag else img
    for i in range(index):
        img = brighten(img, predict(255 * img if i == 0 and flag else img))
    return img
""",
            "with index 0 nothing is left",
        ),
    ],
    "5.2": [
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n"
            "    for step in range(iterations):\n"
            "        image = brighten(image, predict_map(image, step))\n    return image",
            "this is a loop",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n    if iterations == 0:\n"
            "        return image\n    image = brighten(image, predict_map(image, step))\n"
            "    return my_recurse(image, predict_map, iterations - 1)",
            "count them up",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n    if iterations == 1:\n"
            "        return image\n    image = brighten(image, predict_map(image, step))\n"
            "    return my_recurse(image, predict_map, iterations - 1, step + 1)",
            "Which case ends the recursion?",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n    if iterations:\n"
            "        image = brighten(image, predict_map(image, step))\n"
            "        my_recurse(image, predict_map, iterations - 1, step + 1)\n    return image",
            "return what the next call returns",
        ),
        (
            "def my_recurse(image, predict_map, iterations, step=0):\n"
            "    image = brighten(image, predict_map(image, step))\n"
            "    return my_recurse(image, predict_map, iterations - 1, step + 1)",
            "When does it stop?",
        ),
        (
            """
def my_recurse(image, predict_map, iterations, step=0):
    from functools import reduce
    step_by = lambda E, k: brighten(E, predict_map(E, k))
    return reduce(step_by, range(iterations), image)
""",
            "this is a loop",
        ),
        (
            """
def my_recurse(image, predict_map, iterations, step=0):
    if iterations == 0:
        return image
    image = brighten(image, predict_map(image, iterations))
    return my_recurse(image, predict_map, iterations - 1)
""",
            "count them up",
        ),
        (
            """
def my_recurse(image, predict_map, iterations, step=0):
    if iterations == 0:
        return image
    before = my_recurse(image, predict_map, iterations - 1, step + 1)
    return brighten(before, predict_map(image, step))
""",
            "was told the steps [3, 2, 1, 0]",
        ),
        (
            """
def my_recurse(image, predict_map, iterations, step=0):
    if iterations < 0:
        return image
    image = brighten(image, predict_map(image, step))
    return my_recurse(image, predict_map, iterations - 1, step + 1)
""",
            "Which case ends",
        ),
    ],
    "5.3": [
        (
            "choose_iterations = lambda i: 12 if i.mean() < 10 else 8 if i.mean() < 20 else 7",
            "255 times its mean",
        ),
        (
            "def choose_iterations(i):\n    c = 255 * np.median(i)\n"
            "    return 12 if c < 10 else 8 if c < 20 else 7",
            "Take the mean",
        ),
        (
            "def choose_iterations(i):\n    c = 255 * i.mean()\n"
            "    return 7 if c < 10 else 8 if c < 20 else 12",
            "turned around",
        ),
        ("choose_iterations = lambda i: 8", "however dark"),
        (
            "def choose_iterations(i):\n    c = 255 * i.mean()\n"
            "    return 12 if c <= 10 else 8 if c < 20 else 7",
            "Below means below",
        ),
        (
            "def choose_iterations(i):\n    c = 255 * (i @ [0.299, 0.587, 0.114]).mean()\n"
            "    return 12 if c < 10 else 8 if c < 20 else 7",
            "a blue wall",
        ),
        ("choose_iterations = lambda i: 12 if 255 * i.mean() < 10 else 8", "gets 8 and not 7"),
        (
            "choose_iterations = lambda i: 12 if i.mean() < 0.04 else 8 if i.mean() < 0.08 else 7",
            "(mean code 10.01) gets 12",
        ),
        (
            "choose_iterations = lambda i: 12 if 256 * i.mean() < 10 else 8 if 256 * "
            "i.mean() < 20 else 7",
            "(mean code 9.99) gets 8",
        ),
        (
            "choose_iterations = lambda i: 12 if 255 * i.mean() < 10 else 7 if 255 * "
            "i.mean() < 20 else 8",
            "an even picture (mean code 15) gets 7",
        ),
        ("choose_iterations = lambda i: str(12)", "must be a number"),
    ],
    "5.4": [
        (
            "def iterate_until(image, predict_map, tolerance, most):\n    steps = 0\n"
            "    while steps < most:\n        old, image = image, brighten(image, "
            "predict_map(image, steps))\n        steps += 1\n"
            "        if np.abs(image - old).mean() <= tolerance:\n            break\n"
            "    return image, steps",
            "You average the changes",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n    steps, change = 0, 1\n"
            "    while change > tolerance:\n        old, image = image, brighten(image, "
            "predict_map(image, steps))\n        steps += 1\n"
            "        change = np.abs(image - old).max()\n    return image, steps",
            "Mind the limit",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n"
            "    for step in range(most):\n"
            "        new = brighten(image, predict_map(image, step))\n"
            "        if np.abs(new - image).max() <= tolerance:\n            return image, step\n"
            "        image = new\n    return image, most",
            "is a step, too",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n"
            "    for step in range(most):\n"
            "        image = brighten(image, predict_map(image, step))\n    return image, most",
            "it must be",
        ),
        (
            "def iterate_until(image, predict_map, tolerance, most):\n"
            "    while True:\n        image = brighten(image, predict_map(image, 0))",
            "When does it stop?",
        ),
        (LINE.format("iterate_until(image, predict_map, tolerance, most)", "image"), "two things"),
        (
            """
def iterate_until(image, predict_map, tolerance, most):
    steps, change = 0, 1
    while steps < most and change >= tolerance:
        old, image = image, brighten(image, predict_map(image, steps))
        steps, change = steps + 1, np.abs(image - old).max()
    return image, steps
""",
            "stop at <=",
        ),
        (
            """
def iterate_until(image, predict_map, tolerance, most):
    for step in range(most):
        old = image
        image += predict_map(image, step) * image * (1 - image)
        if np.abs(image - old).max() <= tolerance:
            break
    return image, step + 1
""",
            "image = image + change",
        ),
        (
            """
def iterate_until(image, predict_map, tolerance, most):
    for step in range(most):
        new = brighten(image, predict_map(image, step))
        if np.abs(new - image).max() <= tolerance:
            return image, step + 1
        image = new
    return image, most
""",
            "not the picture after them",
        ),
        (
            """
def iterate_until(image, predict_map, tolerance, most):
    for step in range(1, most + 1):
        old, image = image, brighten(image, predict_map(image, step))
        if np.abs(image - old).max() <= tolerance:
            break
    return image, step
""",
            "count up from 0",
        ),
        (
            """
def iterate_until(image, predict_map, tolerance, most):
    for step in range(most):
        M = predict_map(image, step)
        if M.max() <= tolerance:
            break
        image = brighten(image, M)
    return image, step + 1
""",
            "it must be 29",
        ),
    ],
    "5.5": [
        (
            'order_matters = {"median": True, "gaussian": True}\nquiet = lambda d, b: b(d)',
            "does not matter for the median",
        ),
        (
            'order_matters = {"median": False, "gaussian": False}\nquiet = lambda d, b: b(d)',
            "the order matters for a Gaussian",
        ),
        (
            'order_matters = {"median": False, "gaussian": True}\nquiet = lambda d, b: b(d)',
            "no better than doing nothing",
        ),
        (
            "from scipy import ndimage\n"
            'order_matters = {"median": False, "gaussian": True}\n'
            "quiet = lambda d, b: b(ndimage.gaussian_filter(d, (1, 1, 0)))",
            "Did the edges go",
        ),
        (
            'order_matters = {"median": False, "gaussian": True}\nquiet = lambda d, b: d.mean()',
            "finite picture of shape",
        ),
        (
            """
order_matters = {"median": "False", "gaussian": "True"}
quiet = lambda d, b: b(d)
""",
            "without quotes",
        ),
        (
            """
order_matters = {"median": False, "gaussian": True}
quiet = lambda d, b: np.rint(255 * b(d))
""",
            "Divide by 255 again",
        ),
        (
            """
order_matters = {"median": False, "gaussian": True}
from scipy import ndimage
quiet = lambda d, b: ndimage.median_filter(b(d), (5, 5, 1))
""",
            "not 1 dB above",
        ),
        (
            """
order_matters = {"median": False, "gaussian": True}
quiet = lambda d, b: d
""",
            "no better than doing nothing",
        ),
    ],
}

# Right answers that a check once called wrong, or might.
MORE_RIGHT = {
    "5.1": [
        """
def enhance_in_a_loop(img, index, flag=1, *, predict):
    def first(img):
        return brighten(img / 255 if flag else img, predict(img))
    if index == 0:
        return img
    img = first(img)
    for _ in range(index - 1):
        img = brighten(img, predict(img))
    return img
""",
    ],
    "5.2": [
        """
def my_recurse(image, predict_map, iterations, step=0):
    if iterations == 0:
        return image
    before = my_recurse(image, predict_map, iterations - 1, step)
    return brighten(before, predict_map(before, step + iterations - 1))
""",
        """
def my_recurse(image, predict_map, iterations, step=0):
    def go_on(E, k):
        return E if k == iterations else go_on(brighten(E, predict_map(E, k)), k + 1)
    return go_on(image, step)
""",
    ],
    "5.3": [
        """
def choose_iterations(image):
    code = np.rint(255 * image).astype("uint8").mean()
    return [7, 8, 12][int(code < 20) + int(code < 10)]
""",
    ],
    "5.4": [
        """
def iterate_until(image, predict_map, tolerance, most):
    steps = 0
    while steps < most:
        change = predict_map(image, steps) * image * (1 - image)
        image, steps = image + change, steps + 1
        if (change <= tolerance).all():
            break
    return image, steps
""",
        """
def iterate_until(image, predict_map, tolerance, most):
    def go_on(E, k):
        if k == most:
            return E, k
        new = brighten(E, predict_map(E, k))
        return (new, k + 1) if np.abs(new - E).max() <= tolerance else go_on(new, k + 1)
    return go_on(image, 0)
""",
    ],
    "5.5": [
        """
order_matters = {"median": False, "gaussian": True}
def quiet(dark, bend):
    import cv2
    return cv2.bilateralFilter(np.float32(bend(dark)), 7, 0.3, 3)
""",
    ],
}
