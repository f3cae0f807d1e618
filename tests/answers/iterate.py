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
    ],
}
