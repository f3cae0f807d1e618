"""``python -m lle_utils fetch`` and ``verify``."""

import sys

from lle_utils import fetch, paths
from lle_utils.errors import LleError


def add_fetch_parser(subparsers):
    """Register ``fetch`` and ``verify`` with an argparse command line.

    Parameters
    ----------
    subparsers : object
        What ``ArgumentParser.add_subparsers`` returned. Each parser sets ``run``, a function that
        takes the parsed arguments and returns the exit code.
    """
    parser = subparsers.add_parser(
        "fetch",
        help="download the LOL data set and verify it",
        description="Download the LOL data set (350 MB) and verify each of its 1000 pictures. "
        "An interrupted download resumes when you repeat the command.",
    )
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        choices=["lol", "verify"],
        default="lol",
        help="the data set (default), or 'verify' to check the one that is there",
    )
    add(
        "--from",
        dest="source",
        metavar="FILE_OR_URL",
        help="an archive downloaded by hand, a folder unpacked by hand, or an address",
    )
    add(
        "--allow-modified",
        action="store_true",
        help="take a near copy too (re-encoded, resized, incomplete); it says so when loaded",
    )
    add("--quiet", action="store_true", help="print only the folder")
    add("--where", action="store_true", help="print the data folder, and do nothing else")
    parser.set_defaults(run=_run_fetch)

    parser = subparsers.add_parser(
        "verify",
        help="check the LOL data set that is there",
        description="Check every picture of LOL against what was published.",
    )
    parser.add_argument("folder", nargs="?", help="the data set (default: where fetch puts it)")
    parser.add_argument("--quiet", action="store_true", help="print only the conclusion")
    parser.set_defaults(run=_run_verify)


def _run_fetch(args):
    """Run ``fetch``; return its exit code."""
    if args.where:
        print(paths.data_dir())
        print(f"LOL there: {fetch.lol_state()}", file=sys.stderr)
        return 0
    if args.what == "verify":
        args.folder = None
        return _run_verify(args)
    options = {"allow_modified": args.allow_modified, "progress": not args.quiet}
    try:
        folder = fetch.fetch_lol(args.source, **options)
    except KeyboardInterrupt:
        print("\nStopped. The download resumes when you repeat the command.", file=sys.stderr)
        return 130
    if args.quiet:
        print(folder)
    return 0


def _run_verify(args):
    """Run ``verify``; return 0 if LOL is there as published, 1 if it is not."""
    if fetch.lol_state(args.folder) == "absent":
        folder = args.folder or paths.lol_dir()
        raise LleError(
            f"there is no LOL in {folder}. `python -m lle_utils fetch lol` downloads it."
        )
    report = fetch.verify_lol(args.folder, progress=not args.quiet)
    print(report.verdict() if args.quiet else report.summary())
    if not report.ok and fetch.lol_state(args.folder) == "modified":
        print("It was taken with --allow-modified, and says so when it is loaded.")
    return 0 if report.ok else 1
