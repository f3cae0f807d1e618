"""The command line: ``python -m lle_utils fetch | verify | train | evaluate | enhance | ...``.

Heavy modules are imported by the command that needs them, after its arguments were checked: a
mistyped path is reported at once, and ``--help`` does not wait for TensorFlow.
"""

import argparse
import contextlib
import functools
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from lle_utils import __version__, interrupts, paths
from lle_utils.api import MOST_ITERATIONS, load
from lle_utils.errors import LleError, as_memory_error
from lle_utils.fetch.command import add_fetch_parser

MOST_MAPS = 48


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 well done, 1 it failed, 2 wrongly asked."""
    args = _build_parser().parse_args(argv)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 (`>&-` closed it)
    with interrupts.noticed():
        try:
            return _run(args)
        except BaseException as problem:
            number = interrupts.stopped_by()
            if not number and not isinstance(problem, KeyboardInterrupt):
                raise
            print("lle: stopped", file=sys.stderr)
            return 128 + (number or signal.SIGINT)


def _run(args: argparse.Namespace) -> int:
    """Run a command; say in one line why it failed."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            _print_any_file_name()
            code = args.run(args) or 0
            sys.stdout.flush()  # a pipe that was closed is noticed here and not at exit
            return code
    except BrokenPipeError:  # `| head -1` has what it wanted
        _forget_output()
        return 1
    except (LleError, ValueError, OSError, MemoryError) as error:
        interrupts.raise_if_stopped()  # a library's own way of saying so
        if isinstance(error, MemoryError):
            return _complain("this computer's memory is too small for the picture")
        if isinstance(error, OSError):
            _forget_output()
            return _complain(f"{error.filename}: {error.strerror}" if error.filename else error)
        return _complain(error)


def _forget_output() -> None:
    """Let what standard output could not take be dropped, and not be tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(problem: Exception | str) -> int:
    """Say in one line what went wrong; return the exit code."""
    print(f"lle: {_printable(' '.join(str(problem).split()))}", file=sys.stderr)
    return 1


def _printable(text: str) -> str:
    """Return a text in which what would steer the terminal, in a file's name, is written out."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], text)


def _bar(items, disable: bool | None = None, **options):
    """Wrap an iterable to show progress, by default only on a terminal."""
    from tqdm.auto import tqdm

    return tqdm(items, leave=False, disable=disable, **options)


def _complain_beside_bar(problem: Exception | str) -> None:
    from tqdm.auto import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        _complain(problem)


def _show_warning(message, category, filename, *_) -> None:
    """Say what a warning says; but our own errors tell what Pillow thinks of a file."""
    if "PIL" not in Path(filename).parts:
        _complain(f"note: {message}")


def _print_any_file_name() -> None:
    """Let file names that are no valid text be printed, as the bytes that they are."""
    unicode = sys.stdout.encoding.lower().startswith("utf")
    sys.stdout.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lle_utils",
        description="Brighten dark pictures by a learned curve, E + M * E * (1 - E).",
        epilog="Each command explains itself: python -m lle_utils enhance --help",
    )
    parser.add_argument("--version", action="version", version=f"lle_utils {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_fetch_parser(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_enhance(commands)
    _add_export(commands)
    _add_figures(commands)
    return parser


def _add_command(commands, name: str, run, summary: str, details: str, example: str):
    """Add a command whose help says what it does, how, and shows one call that works."""
    parser = commands.add_parser(
        name,
        help=summary[0].lower() + summary[1:].rstrip("."),
        description=f"{summary} {details}",
        epilog=f"example: python -m lle_utils {example}",
    )
    parser.set_defaults(run=run)
    return parser


def _between(least, most, kind=int, what: str = "a whole number", note: str = "") -> Callable:
    """Return what turns an argument into a number within bounds, or refuses it."""

    def parse(text: str):
        with contextlib.suppress(ValueError):
            number = kind(text)
            if least <= number <= most:
                return number
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {least} to {most}{note}")

    return parse


def _import_keras() -> None:
    """Import Keras and its back end, which takes seconds."""
    with interrupts.held_back():
        from lle_utils import backend  # noqa: F401


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--iterations",
        type=_between(1, MOST_ITERATIONS, note=" (7, 8 and 12 are usual)"),
        metavar="N",
        help="how often the curve is applied (default: 8, as trained); brighter is --exposure",
    )
    parser.add_argument(
        "--exposure",
        type=_between(-8, 8, float, "a number of stops"),
        default=0.0,
        metavar="EV",
        help="brighten the result by EV photographic stops, or darken it: 0.5, -1 (default: 0)",
    )
    _add_weights(parser)


def _add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        default="enhancer",
        metavar="NAME_OR_FILE",
        help="trained weights: enhancer, founding, or a .keras file (default: %(default)s)",
    )


def _add_overwrite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")


def _add_enhance(commands) -> None:
    parser = _add_command(
        commands,
        "enhance",
        _enhance,
        "Brighten pictures and videos.",
        "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, and HEIC where pillow-heif is installed. The "
        "result is a file of the same kind, with the same depth, color profile, EXIF, XMP, "
        "opacity and resolution; a photo taken sideways is turned upright. Animations and files "
        "of many pages are enhanced frame by frame. The input is never changed. A picture that "
        "cannot be read is reported, and the others are enhanced; the exit code is then 1. Videos "
        "(MP4, MOV, MKV, WebM, AVI; with the extra video: pip install 'lle-utils[video]') keep "
        "their sound, frame times and rotation.",
        "enhance data/sample/heldout/low -o bright/",
    )
    parser.add_argument(
        "input",
        nargs="+",
        metavar="IN",
        help="picture and video files, folders of pictures with their subfolders, patterns such as "
        "'*.jpg', or - for standard input. Put -- before a name that starts with a dash",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a file, whose ending sets the format; a folder, made if needed, in which results "
        "keep their names; or - for standard output (default: beside the inputs)",
    )
    parser.add_argument(
        "--suffix",
        type=_suffix,
        metavar="TEXT",
        help="what to add to the names (default: _enhanced beside the inputs, else nothing)",
    )
    parser.add_argument(
        "--side-by-side",
        action="store_true",
        help="write the input and the result side by side (default suffix: _compared)",
    )
    _add_model_options(parser)
    parser.add_argument(
        "--for",
        dest="purpose",
        choices=("eyes", "vision"),
        default="eyes",
        help="who the result is for: vision smooths the grain, lifts the shadows and leaves "
        "details alone, for a detector (default: %(default)s)",
    )
    parser.add_argument(
        "--detail",
        choices=("native", "fitted"),
        default="native",
        help="where the network looks for noise and details: in the pixels of the file, or in a "
        "large picture at about the training size, which is faster but leaves about three "
        "times as much fine noise (default: %(default)s, at any size)",
    )
    parser.add_argument(
        "--preview",
        dest="detail",
        action="store_const",
        const="none",
        help="how much light and where, without looking at details: many times faster",
    )
    parser.add_argument(
        "--backend",
        choices=("auto", "keras"),
        default="auto",
        help="what runs the network: auto takes onnxruntime if it is installed, which starts "
        "faster and does not import TensorFlow (default: %(default)s)",
    )
    _add_overwrite(parser)
    parser.add_argument(
        "--maps",
        action="store_true",
        help="also draw each iteration's map M and picture, as NAME_maps.png, from every second, "
        "third, ... pixel of a large picture",
    )
    parser.add_argument(
        "--skip-existing",
        action="store_true",
        help="skip results that exist, so that an interrupted command can be repeated",
    )
    parser.add_argument("--json", metavar="F", help="write each picture's outcome to this file")
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="let the workers of a Dask cluster, which see the same folders, do the work: the "
        "scheduler's address, or local for one worker per core (pip install 'lle-utils[dask]')",
    )


def _suffix(text: str) -> str:
    """Turn an argument into what is added to file names."""
    if "/" in text or os.sep in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not part of a file name")
    return text


def _enhance(args: argparse.Namespace) -> int:
    with interrupts.held_back():
        from tqdm.auto import tqdm

        from lle_utils import enhancing

    jobs, found, done = _plan(args)
    for note in found.notes:
        _complain(f"note: {note}")
    for problem in found.problems:
        _complain(problem)
    failed = len(found.problems)
    report_file = _check_report(args.json, replace=args.overwrite or args.skip_existing)

    def announce(target: str) -> None:
        if target != enhancing.STANDARD:
            tqdm.write(_printable(target))

    report: list[dict] = []
    told = {"report": report, "complain": _complain_beside_bar, "announce": announce}
    count = {"total": len(jobs), "unit": "picture", "disable": len(jobs) < 2 or None}
    try:
        if args.dask:
            from lle_utils import cluster

            if args.weights.endswith(".keras"):  # workers may run in other folders
                args.weights = os.path.abspath(args.weights)
            failed += cluster.enhance_files(
                *(jobs, functools.partial(_start, args), args.dask),
                **told,
                progress=lambda done: _bar(done, **count),
            )
        else:
            failed += _start(args)(
                _bar(jobs, **count),
                **told,
                progress=lambda frames, total: _bar(frames, total=total, unit="frame"),
            )
    finally:
        if report_file:
            about = {"weights": args.weights, "iterations": args.iterations}
            about |= {"exposure": args.exposure, "detail": args.detail, "existed": done}
            _write_report(report_file, about | {"pictures": report})
    return 1 if failed else 0


def _check_report(file: str | None, *, replace: bool) -> Path | None:
    """Make sure that the report may be written, before any work is spent on it."""
    if file is None:
        return None
    from lle_utils.images import check_writable, remove_parts
    from lle_utils.photos import OTHERS, READABLE
    from lle_utils.video import VIDEOS

    path = Path(paths.expand_user(file))
    if path.suffix.lower() in (*READABLE, *OTHERS, *VIDEOS):  # as of `--json *.jpg`
        raise LleError(f"{path}: --json writes a report; give it the name of a .json file")
    remove_parts(path.parent)
    check_writable(path, overwrite=replace)
    return path


def _write_report(path: Path, report: dict) -> None:
    from lle_utils.images import replace_file

    text = json.dumps(report, indent=1) + "\n"
    replace_file(path, lambda partial: Path(partial).write_text(text, encoding="utf-8"))


def _start(args: argparse.Namespace) -> Callable:
    """Return `enhancing.enhance_files` with the model that was asked for, loaded when needed."""
    from lle_utils import enhancing

    model = functools.cache(lambda: load(args.weights, args.backend))
    return functools.partial(
        enhancing.enhance_files,
        load=lambda: functools.partial(_enhance_picture, model(), args=args),
        draw=(lambda picture: _draw_maps(model(), picture, args)) if args.maps else None,
        side_by_side=args.side_by_side,
    )


def _plan(args: argparse.Namespace):
    """Return the pictures to enhance, what was found, and how many results exist already."""
    from lle_utils import enhancing

    if args.purpose == "vision" and (args.maps or args.detail != "native"):
        raise LleError("--for vision works with neither --maps, --detail fitted nor --preview")
    if args.maps and args.detail == "none":
        raise LleError("--maps and --preview do not work together: a preview has no detail maps")
    if args.maps and (args.iterations or 0) > MOST_MAPS:
        raise LleError(f"--maps shows {MOST_MAPS} iterations at most")
    output = args.output
    if output not in (None, enhancing.STANDARD):
        output = paths.expand_user(output)
    suffix = args.suffix
    if output is None and suffix is None and args.side_by_side:
        suffix = enhancing.SUFFIX_BESIDE
    found = enhancing.find_pictures(args.input, output)
    jobs = enhancing.choose_targets(found.jobs, output, suffix)
    for job in jobs:
        if job.source == enhancing.STANDARD and sys.stdin.isatty():
            raise LleError("standard input is the keyboard: use - after a pipe, or with < FILE")
        if job.target == enhancing.STANDARD and sys.stdout.isatty():
            raise LleError("standard output is the screen: use a pipe, > FILE or -o FILE")
    jobs, done = enhancing.check_targets(
        jobs, overwrite=args.overwrite, skip_existing=args.skip_existing, maps=args.maps
    )
    return jobs, found, done


def _enhance_picture(model, picture, args: argparse.Namespace):
    if args.purpose == "vision":
        from lle_utils.vision import enhance_for_vision

        return enhance_for_vision(model, picture, args.iterations, args.exposure)
    from lle_utils.inference import enhance_lazily

    return enhance_lazily(model, picture, args.iterations, args.exposure, args.detail)


def _draw_maps(model, picture, args: argparse.Namespace) -> bytes:
    """Return a PNG file of the maps and pictures of each iteration."""
    import io

    from lle_utils import drawing, inference

    stride = -(-max(picture.shape) // 1000)  # of a large picture, not all that nobody could see
    small = picture[::stride, ::stride]
    steps = inference.trace(model, small, args.iterations)
    schedule = getattr(model, "schedule", None)
    kinds = () if schedule is None else inference.map_kinds(schedule, len(steps))
    figure = drawing.iteration_by_iteration(small, steps, kinds=kinds, untouched="the input")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _add_export(commands) -> None:
    parser = _add_command(
        commands,
        "export",
        _export,
        "Write the enhancer as an ONNX file.",
        "Other programs run it without TensorFlow, on pictures of any size: float32, shape "
        "(batch, height, width, 3), RGB in [0, 1]. It needs the extra onnx: pip install "
        "'lle-utils[onnx]'.",
        "export enhancer.onnx",
    )
    parser.add_argument("output", metavar="FILE", help="the file to write, which ends in .onnx")
    _add_weights(parser)
    _add_overwrite(parser)


def _export(args: argparse.Namespace) -> int:
    from lle_utils.export import check_export, export_onnx

    check_export(args.output, overwrite=args.overwrite)
    print(export_onnx(load(args.weights, "keras"), args.output, overwrite=args.overwrite))
    return 0


def _add_evaluate(commands) -> None:
    parser = _add_command(
        commands,
        "evaluate",
        _evaluate,
        "Score the enhancement of pairs, or measure harm to dark pictures without references.",
        "A folder of pairs holds low/ and high/ with pictures of the same names. Each enhanced "
        "picture is rounded to 8 bits and compared in RGB with its reference: PSNR in decibels "
        "and SSIM (higher is better), CIEDE2000 color difference (lower is better). In a folder "
        "without high/, subfolders included, harm is measured (less is better): clipped, the share "
        "of pixels in which a channel became white; reversed, the share where the result falls "
        "while the input rises; noise in flat places, in codes; and, for videos, flicker: the "
        "step of one scene's brightness from frame to frame, in codes. Simple methods are scored "
        "for comparison, picture by picture.",
        "evaluate data/sample/heldout --json scores.json",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folder of pairs, or of dark pictures"
    )
    _add_model_options(parser)
    parser.add_argument("--json", metavar="F", help="write the scores to this file")
    parser.add_argument(
        "--no-baselines", action="store_true", help="score only the weights (faster)"
    )
    parser.add_argument(
        "--gt-mean",
        action="store_true",
        help="add the PSNR after scaling to the reference's mean, which looks at the answer",
    )
    _add_overwrite(parser)


def _evaluate(args: argparse.Namespace) -> int:
    from lle_utils.data import list_dark, load_folder

    report_file = _check_report(args.json, replace=args.overwrite)
    paired = (args.folder / "high").is_dir()
    found = load_folder(args.folder) if paired else list_dark(args.folder)
    if args.gt_mean and not paired:
        raise LleError(f"--gt-mean needs references, and {args.folder} has no folder high/")

    from lle_utils.inference import enhance_picture

    model = load(args.weights, "keras")

    def enhance(picture):
        return enhance_picture(model, picture, args.iterations, args.exposure)

    with as_memory_error():
        report, failed = (_score_pairs if paired else _score_dark)(enhance, found, args)
    if report_file:
        about = {"folder": str(args.folder), "weights": args.weights}
        about |= {"iterations": args.iterations or model.iterations, "exposure": args.exposure}
        _write_report(report_file, about | report)
    return 1 if failed else 0


def _score_pairs(enhance: Callable, pairs, args: argparse.Namespace) -> tuple[dict, int]:
    """Score pairs and print the scores; return the report, and how many files failed: none."""
    from lle_utils.evaluation import BASELINES, as_text, evaluate

    report = evaluate(
        enhance,
        _bar(pairs, total=len(pairs), unit="picture"),
        compared={} if args.no_baselines else BASELINES,
        gt_mean=args.gt_mean,
    )
    print(as_text(report))
    return report, 0


def _score_dark(enhance: Callable, paths, args: argparse.Namespace) -> tuple[dict, int]:
    """Measure harm and print it; return the report, and how many files could not be read."""
    from lle_utils.evaluation import BASELINES, as_text, evaluate_dark
    from lle_utils.images import read_image
    from lle_utils.video import is_video, measure_flicker

    failed = []

    def each(videos: bool, read: Callable):
        chosen = [path for path in paths if is_video(str(path)) == videos]
        for path in _bar(chosen, unit="file"):
            try:
                yield str(path.relative_to(args.folder)), read(path)
            except LleError as error:
                failed.append(path)
                _complain_beside_bar(error)

    report = evaluate_dark(
        enhance,
        each(False, read_image),
        each(True, lambda path: measure_flicker(str(path), enhance)),
        compared={} if args.no_baselines else BASELINES,
    )
    if len(failed) < len(paths):
        print(as_text(report))
    return report, len(failed)


def _add_train(commands) -> None:
    parser = _add_command(
        commands,
        "train",
        _train,
        "Train the enhancer as the packaged weights were trained.",
        "An interrupted run resumes when you repeat the command.",
        "train --sources lol sample -o data/runs/mine",
    )
    parser.add_argument(
        "--recipe",
        default="enhancer",
        metavar="NAME",
        help="enhancer, or exposure: how much light, without details (default: %(default)s)",
    )
    trained_on = parser.add_mutually_exclusive_group()
    trained_on.add_argument(
        "--data",
        metavar="FOLDER",
        help="train on your own pairs: pictures with the same names in FOLDER/low and "
        "FOLDER/high; every fourth pair is kept for validation",
    )
    trained_on.add_argument(
        "--sources",
        nargs="+",
        metavar="NAME",
        help="what to train on: lol (see `fetch`), photos and pairs (data/cameras, see "
        "data/README.md), sample (embedded). Default: the sources of the recipe",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="where the run is kept: log.csv, last.keras",
    )
    parser.add_argument(
        "--epochs", type=_between(1, 100_000), metavar="N", help="instead of the recipe's"
    )
    parser.add_argument(
        "--start",
        metavar="WEIGHTS",
        help="train these weights further: enhancer, or a .keras file; by default fresh ones",
    )
    parser.add_argument(
        "--tensorboard", type=Path, metavar="FOLDER", help="also write logs for TensorBoard"
    )
    parser.add_argument(
        "--seed", type=_between(0, 2**31 - 1), metavar="N", help="instead of the recipe's"
    )
    parser.add_argument(
        "--distribute",
        action="store_true",
        help="share each batch among all devices by Keras's DataParallel, which works on JAX only: "
        "set the environment variable KERAS_BACKEND=jax",
    )


def _train(args: argparse.Namespace) -> int:
    import dataclasses

    _import_keras()
    from lle_utils import data
    from lle_utils.recipes import RECIPES
    from lle_utils.training import distribute, train

    folder = paths.absolute(args.output)
    if args.recipe not in RECIPES:
        raise LleError(f"there is no recipe {args.recipe!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[args.recipe]
    changes = {"epochs": args.epochs, "seed": args.seed, "start": args.start}
    if args.sources:
        shares = dict(recipe.sources)
        changes["sources"] = [(name, shares.get(name, 0.2)) for name in args.sources]
    if args.data:
        changes["sources"] = [(args.data, 1.0)]
        recipe = dataclasses.replace(recipe, steps_per_epoch=None)  # every pair once an epoch
        validation = data.load_source(args.data, "validation")
    changes = {name: value for name, value in changes.items() if value is not None}
    recipe = dataclasses.replace(recipe, **changes)
    if args.distribute:
        distribute(recipe)
    sources = [(data.load_source(name), share) for name, share in recipe.sources]
    if not args.data:
        on_lol = "lol" in dict(recipe.sources)
        validation = data.load("lol" if on_lol else "sample", "validation", lazy=True)
    callbacks = []
    if args.tensorboard:
        from keras.callbacks import TensorBoard

        callbacks.append(TensorBoard(args.tensorboard))
    train(recipe, sources, validation, folder, callbacks=callbacks)
    print(folder / "last.keras")
    return 0


def _add_figures(commands) -> None:
    parser = _add_command(
        commands,
        "figures",
        _figures,
        "Make the README's figures.",
        "From the embedded sample they need no network; from LOL they go to an ignored folder, "
        "because LOL's pictures may not be redistributed.",
        "figures --output figures",
    )
    parser.add_argument(
        "--dataset", choices=("sample", "lol"), default="sample", help="default: %(default)s"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="default: notebooks/figures in a clone"
    )


def _figures(args: argparse.Namespace) -> int:
    _import_keras()
    from lle_utils.figures import make_figures

    progress = functools.partial(_bar, unit="figure")
    for path in make_figures(args.dataset, args.output, progress=progress):
        print(path)
    return 0
