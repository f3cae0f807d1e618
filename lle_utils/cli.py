"""The command line: ``python -m lle_utils fetch | verify | train | evaluate | enhance | ...``.

What imports TensorFlow is imported by the command that needs it, after its arguments were checked:
a mistyped path is reported at once.
"""

import argparse
import contextlib
import functools
import inspect
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tqdm.auto import tqdm

from lle_utils import __version__, enhance_files, paths, process
from lle_utils.api import MOST_ITERATIONS, load
from lle_utils.errors import LleError, small_memory_named
from lle_utils.fetch.command import add_fetch_parser
from lle_utils.images import check_writable, read_image, replace_file
from lle_utils.video import is_video, measure_flicker

MOST_MAPS = 48


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 well done, 1 it failed, 2 wrongly asked."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 (`>&-` closed it)
    with process.stop_noticed():
        try:
            return _run(argv)
        except BaseException as problem:
            number = process.stopped_by()
            if not number and not isinstance(problem, KeyboardInterrupt):
                raise
            print("lle: stopped", file=sys.stderr)
            return 128 + (number or signal.SIGINT)


def _run(argv: Sequence[str] | None) -> int:
    """Run a command; say in one line why it failed."""
    # File names that are not valid text are printed as the bytes that they are.
    unicode = sys.stdout.encoding.lower().startswith("utf")
    sys.stdout.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")
    try:
        with warnings.catch_warnings(), small_memory_named("the picture"):
            warnings.showwarning = _show_warning
            args = _build_parser().parse_args(argv)
            code = args.run(args) or 0
            sys.stdout.flush()  # a pipe that was closed is noticed here and not at exit
            return code
    except OSError as error:
        process.raise_if_stopped()
        # What standard output could not take is dropped, and not tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # `| head -1` has what it wanted
            return 1
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else error)
    except (LleError, ValueError) as error:
        process.raise_if_stopped()  # a library's own way of saying so
        return _complain(error)


def _complain(problem: Exception | str) -> int:
    """Say in one line what went wrong; return the exit code."""
    tqdm.write(f"lle: {_printable(' '.join(str(problem).split()))}", file=sys.stderr)
    return 1


def _printable(text: str) -> str:
    """Return a text in which what would steer the terminal, in a file's name, is written out."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], text)


def _show_warning(message, category, filename, *_) -> None:
    """Say what a warning says; but our own errors tell what Pillow thinks of a file."""
    if "PIL" not in Path(filename).parts:
        _complain(f"note: {message}")


def _bar(items, disable: bool | None = None, **options):
    """Wrap an iterable to show progress, by default only on a terminal."""
    return tqdm(items, leave=False, disable=disable, **options)


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


def _add_command(commands, run: Callable) -> argparse.ArgumentParser:
    """Add a command, which the docstring of `run` explains."""
    summary, details, example = inspect.getdoc(run).split("\n\n")
    parser = commands.add_parser(
        run.__name__.strip("_"),
        help=summary[0].lower() + summary[1:].rstrip("."),
        description=f"{summary} {details}",
        epilog=example,
    )
    parser.set_defaults(run=run)
    return parser


def _between(least: int, most: int, kind: type = int) -> Callable:
    """Return what turns an argument into a number within bounds, or refuses it."""

    def parse(text: str):
        with contextlib.suppress(ValueError):
            number = kind(text)
            if least <= number <= most:
                return number
        what = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {least} to {most}")

    return parse


def _path(text: str) -> Path:
    return Path(paths.expand_user(text))


def _add_weights(add: Callable) -> None:
    text = "enhancer, founding, or a .keras file (default: enhancer)"
    add("--weights", default="enhancer", metavar="NAME", help=text)


def _add_model_options(add: Callable) -> None:
    text = "how often the curve is applied (default: 8, as trained)"
    add("--iterations", type=_between(1, MOST_ITERATIONS), metavar="N", help=text)
    text = "brighten the result by EV photographic stops, or darken it: 0.5, -1 (default: 0)"
    add("--exposure", type=_between(-8, 8, float), default=0.0, metavar="EV", help=text)
    _add_weights(add)


def _add_overwrite(add: Callable) -> None:
    add("--overwrite", action="store_true", help="replace an output that exists")


def _add_enhance(commands) -> None:
    add = _add_command(commands, _enhance).add_argument
    text = (
        "files, folders of pictures with their subfolders, patterns such as '*.jpg', or - for "
        "standard input; put -- before a name that starts with a dash"
    )
    add("input", nargs="+", metavar="IN", help=text)
    text = (
        "a file, whose ending sets the format; a folder, made if needed; or - for standard output "
        "(default: beside the inputs)"
    )
    add("-o", "--output", metavar="OUT", help=text)
    text = "what to add to the names (default: _enhanced beside the inputs, else nothing)"
    add("--suffix", metavar="TEXT", help=text)
    text = "write the input and the result side by side (default suffix: _compared)"
    add("--side-by-side", action="store_true", help=text)
    _add_model_options(add)
    text = "vision is for a detector: smooth the grain and lift the shadows (default: eyes)"
    add("--for", dest="purpose", choices=("eyes", "vision"), default="eyes", help=text)
    text = (
        "fitted looks for details in large pictures at about the training size, which is faster "
        "but leaves about three times as much fine noise (default: native, at any size)"
    )
    add("--detail", choices=("native", "fitted"), default="native", help=text)
    text = "how much light and where, without looking at details: many times faster"
    add("--preview", dest="detail", action="store_const", const="none", help=text)
    text = "auto runs the network by onnxruntime if it is installed (default: auto)"
    add("--backend", choices=("auto", "keras"), default="auto", help=text)
    text = (
        "also draw each iteration's map M and picture, as NAME_maps.png, from every second, third, "
        "... pixel of a large picture"
    )
    add("--maps", action="store_true", help=text)
    _add_overwrite(add)
    text = "skip results that exist, so that an interrupted command can be repeated"
    add("--skip-existing", action="store_true", help=text)
    text = "write each picture's outcome to this .json file"
    add("--json", type=_path, metavar="FILE", help=text)
    text = (
        "let a Dask cluster that sees the same folders do the work: its scheduler's address, or "
        "local for one worker per core (pip install 'lle-utils[dask]')"
    )
    add("--dask", metavar="ADDRESS", help=text)


def _enhance(args: argparse.Namespace) -> int:
    """Brighten pictures and videos.

    JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, and HEIC where pillow-heif is installed. The result is a
    file of the same kind, with the same depth, color profile, EXIF, XMP, opacity and resolution; a
    photo taken sideways is turned upright. Animations and files of many pages are enhanced frame by
    frame. The input is never changed. A picture that cannot be read is reported, and the others are
    enhanced; the exit code is then 1. Videos (MP4, MOV, MKV, WebM, AVI; pip install
    'lle-utils[video]') keep their sound, frame times and rotation.

    example: python -m lle_utils enhance data/sample/heldout/low -o bright/
    """
    jobs, problems = _plan(args)
    _check_report(args.json, replace=args.overwrite or args.skip_existing)
    count, report, failed = len(problems) + len(jobs), [], 0
    outcomes = _outcomes(jobs, problems, args)
    try:
        for outcome in _bar(outcomes, count < 2 or None, total=count, unit="picture"):
            report.append(outcome._asdict())
            if outcome.error:
                failed = _complain(outcome.error)
            elif outcome.output != enhance_files.STANDARD:
                tqdm.write(_printable(outcome.output))
            for note in outcome.notes:
                _complain(f"note: {outcome.input}: {note}")
    finally:
        if args.json:
            asked = ("weights", "iterations", "exposure", "detail")
            about = {name: getattr(args, name) for name in asked}
            _write_report(args.json, about | {"pictures": report})
    return failed


def _plan(args: argparse.Namespace) -> tuple[list, list]:
    """Return what is to be done, and what became of inputs that are not there."""
    if args.purpose == "vision" and (args.maps or args.detail != "native"):
        raise LleError("--for vision works with neither --maps, --detail fitted nor --preview")
    if args.maps and args.detail == "none":
        raise LleError("--maps and --preview do not work together: a preview has no detail maps")
    if args.maps and (args.iterations or 0) > MOST_MAPS:
        raise LleError(f"--maps shows {MOST_MAPS} iterations at most")
    output, suffix = args.output, args.suffix
    if output is None and suffix is None:
        suffix = enhance_files.SUFFIX_BESIDE if args.side_by_side else enhance_files.SUFFIX
    elif output not in (None, enhance_files.STANDARD):
        output = paths.expand_user(output)
    found, problems = enhance_files.find_pictures(args.input, output)
    jobs = enhance_files.choose_targets(found, output, suffix or "")
    for job in jobs:
        # A stream that was closed (`<&-`, `>&-`) is None.
        if job.source == enhance_files.STANDARD and (sys.stdin is None or sys.stdin.isatty()):
            raise LleError("standard input is not a file: use - after a pipe, or with < FILE")
        if job.target == enhance_files.STANDARD and (sys.__stdout__ is None or sys.stdout.isatty()):
            raise LleError("standard output is not a file: use a pipe, > FILE or -o FILE")
    options = {"overwrite": args.overwrite, "skip_existing": args.skip_existing}
    return enhance_files.check_targets(jobs, maps=args.maps, **options), problems


def _outcomes(jobs: Sequence, problems: Sequence, args: argparse.Namespace) -> Iterator:
    """Yield the problems, and what becomes of the jobs, which are done here or on a cluster."""
    yield from problems
    if args.dask and jobs:
        from lle_utils import cluster

        if args.weights.endswith(".keras"):  # workers may run in other folders
            args.weights = os.path.abspath(args.weights)
        yield from cluster.enhance_files(jobs, functools.partial(_start, args), args.dask)
    elif jobs:
        yield from _start(args)(jobs, progress=functools.partial(_bar, unit="frame"))


def _start(args: argparse.Namespace) -> Callable:
    """Return `enhance_files.enhance_files` with the model that was asked for."""
    model = load(args.weights, args.backend)
    return functools.partial(
        enhance_files.enhance_files,
        enhance=lambda picture: _enhance_picture(model, picture, args),
        draw=(lambda picture: _draw_maps(model, picture, args)) if args.maps else None,
        side_by_side=args.side_by_side,
    )


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


def _check_report(path: Path | None, *, replace: bool) -> None:
    """Make sure that the report may be written, before any work is spent on it."""
    if path is None:
        return
    if path.suffix.lower() != ".json":  # as of `--json *.jpg`
        raise LleError(f"{path}: --json writes a report; give it the name of a .json file")
    check_writable(path, overwrite=replace)


def _write_report(path: Path, report: dict) -> None:
    text = json.dumps(report, indent=1) + "\n"
    replace_file(path, lambda partial: Path(partial).write_text(text))


def _add_export(commands) -> None:
    add = _add_command(commands, _export).add_argument
    add("output", type=_path, metavar="FILE", help="the file to write, which ends in .onnx")
    _add_weights(add)
    _add_overwrite(add)


def _export(args: argparse.Namespace) -> None:
    """Write the enhancer as an ONNX file.

    Other programs run it without TensorFlow, on pictures of any size: float32, shape (batch,
    height, width, 3), RGB in [0, 1]. It needs the extra onnx: pip install 'lle-utils[onnx]'.

    example: python -m lle_utils export enhancer.onnx
    """
    from lle_utils.onnx import export_onnx

    print(export_onnx(args.weights, args.output, overwrite=args.overwrite))


def _add_evaluate(commands) -> None:
    add = _add_command(commands, _evaluate).add_argument
    add("folder", type=_path, metavar="FOLDER", help="folder of pairs, or of dark pictures")
    _add_model_options(add)
    add("--json", type=_path, metavar="FILE", help="write the scores to this .json file")
    text = "add the PSNR after scaling to the reference's mean, which looks at the answer"
    add("--gt-mean", action="store_true", help=text)
    _add_overwrite(add)


def _evaluate(args: argparse.Namespace) -> int:
    """Score the enhancement of pairs, or measure harm to dark pictures without references.

    A folder of pairs holds low/ and high/ with pictures of the same names. Each enhanced picture is
    rounded to 8 bits and compared in RGB with its reference: PSNR in decibels and SSIM (higher is
    better), CIEDE2000 color difference (lower is better). In a folder without high/, subfolders
    included, harm is measured (less is better): clipped, the share of pixels in which a channel
    became white; reversed, the share where the result falls while the input rises; noise in flat
    places, in codes; and, for videos, flicker: the step of one scene's brightness from frame to
    frame, in codes. Simple methods are scored for comparison, picture by picture.

    example: python -m lle_utils evaluate data/sample/heldout --json scores.json
    """
    from lle_utils.data import list_dark, load_folder

    _check_report(args.json, replace=args.overwrite)
    paired = (args.folder / "high").is_dir()
    found = load_folder(args.folder) if paired else list_dark(args.folder)
    if args.gt_mean and not paired:
        raise LleError(f"--gt-mean needs references, and {args.folder} has no folder high/")

    from lle_utils import evaluation
    from lle_utils.inference import enhance_picture

    model = load(args.weights, "keras")

    def enhance(picture):
        return enhance_picture(model, picture, args.iterations, args.exposure)

    failed = 0
    if paired:
        pairs = _bar(found, unit="picture")
        report = evaluation.evaluate(enhance, pairs, gt_mean=args.gt_mean)
        print(evaluation.as_text(report))
    else:
        report, failed = _score_dark(enhance, found, args.folder)
    if args.json:
        about = {"folder": str(args.folder), "weights": args.weights}
        about |= {"iterations": args.iterations or model.iterations, "exposure": args.exposure}
        _write_report(args.json, about | report)
    return failed


def _score_dark(enhance: Callable, found: Sequence[Path], folder: Path) -> tuple[dict, int]:
    """Measure harm and print it; return the report, and the exit code."""
    from lle_utils.evaluation import as_text, evaluate_dark

    failed = []

    def each(chosen: Iterable[Path], read: Callable):
        for path in chosen:
            try:
                yield str(path.relative_to(folder)), read(path)
            except LleError as error:
                failed.append(path)
                _complain(error)

    videos = [path for path in found if is_video(str(path))]
    pictures = [path for path in found if not is_video(str(path))]
    report = evaluate_dark(
        enhance,
        each(_bar(pictures, unit="picture"), read_image),
        each(_bar(videos, unit="video"), lambda path: measure_flicker(str(path), enhance)),
    )
    if len(failed) < len(found):
        print(as_text(report))
    return report, 1 if failed else 0


def _add_train(commands) -> None:
    parser = _add_command(commands, _train)
    add, choose = parser.add_argument, parser.add_mutually_exclusive_group().add_argument
    text = "exposure learns how much light, without details (default: enhancer)"
    add("--recipe", choices=("enhancer", "exposure"), default="enhancer", help=text)
    text = (
        "train on your own pairs: pictures with the same names in FOLDER/low and FOLDER/high; "
        "every fourth pair is kept for validation"
    )
    choose("--data", metavar="FOLDER", help=text)
    text = (
        "what to train on instead of the recipe's sources: lol (see `fetch`), photos and pairs "
        "(data/cameras, see data/README.md), sample (embedded)"
    )
    choose("--sources", nargs="+", metavar="NAME", help=text)
    text = "where the run is kept: log.csv, last.keras"
    add("-o", "--output", required=True, metavar="FOLDER", help=text)
    add("--epochs", type=_between(1, 100_000), metavar="N", help="instead of the recipe's")
    add("--seed", type=_between(0, 2**31 - 1), metavar="N", help="instead of the recipe's")
    text = "train these weights further: enhancer, or a .keras file; by default fresh ones"
    add("--start", metavar="WEIGHTS", help=text)
    text = "share each batch among all devices; on JAX only: set KERAS_BACKEND=jax"
    add("--distribute", action="store_true", help=text)


def _train(args: argparse.Namespace) -> None:
    """Train the enhancer as the packaged weights were trained.

    An interrupted run resumes when you repeat the command.

    example: python -m lle_utils train --sources lol sample -o data/runs/mine
    """
    import dataclasses

    from lle_utils import data, training
    from lle_utils.recipes import RECIPES

    folder, recipe = paths.absolute(args.output), RECIPES[args.recipe]
    changes = {"epochs": args.epochs, "seed": args.seed, "start": args.start}
    changes = {name: value for name, value in changes.items() if value is not None}
    if args.data is not None:  # every pair once an epoch
        changes |= {"sources": [(paths.expand_user(args.data), 1.0)], "steps_per_epoch": None}
    elif args.sources:
        shares = dict(recipe.sources)
        changes["sources"] = [(name, shares.get(name, 0.2)) for name in args.sources]
    recipe = dataclasses.replace(recipe, **changes)
    if args.distribute:
        training.distribute(recipe)
    if args.data:
        validation = data.load_source(recipe.sources[0][0], "validation")
    else:
        on_lol = "lol" in dict(recipe.sources)
        validation = data.load("lol" if on_lol else "sample", "validation", lazy=True)
    sources = [(data.load_source(name), share) for name, share in recipe.sources]
    training.train(recipe, sources, validation, folder)
    print(folder / "last.keras")


def _add_figures(commands) -> None:
    add = _add_command(commands, _figures).add_argument
    add("--dataset", choices=("sample", "lol"), default="sample", help="default: sample")
    text = "default: notebooks/figures in a clone"
    add("--output", type=_path, metavar="FOLDER", help=text)


def _figures(args: argparse.Namespace) -> None:
    """Make the README's figures.

    From the embedded sample they need no network; from LOL they go to an ignored folder, because
    LOL's pictures may not be redistributed.

    example: python -m lle_utils figures --output figures
    """
    from lle_utils.figures import make_figures

    progress = functools.partial(_bar, unit="figure")
    for path in make_figures(args.dataset, args.output, progress=progress):
        print(path)
