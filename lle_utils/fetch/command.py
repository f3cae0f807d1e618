"""``python -m lle_utils fetch`` and ``verify``."""

import sys

from lle_utils import fetch, paths
from lle_utils.errors import LleError
from lle_utils.fetch.store import State


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
        "A download that was cut goes on where it stopped.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=["lol", "verify"],
        default="lol",
        help="the data set (default), or 'verify' to check the one that is there",
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FILE_OR_URL",
        help="an archive downloaded by hand, a folder unpacked by hand, or an address",
    )
    parser.add_argument(
        "--allow-modified",
        action="store_true",
        help="take a near copy too (re-encoded, resized, incomplete); it says so when loaded",
    )
    parser.add_argument("--quiet", action="store_true", help="print only the folder")
    parser.add_argument(
        "--where", action="store_true", help="print the data folder, and do nothing else"
    )
    parser.set_defaults(run=run_fetch)

    parser = subparsers.add_parser(
        "verify",
        help="check the LOL data set that is there",
        description="Check every picture of LOL against what was published.",
    )
    parser.add_argument("folder", nargs="?", help="the data set (default: where fetch puts it)")
    parser.add_argument("--quiet", action="store_true", help="print only the conclusion")
    parser.set_defaults(run=run_verify)


def run_fetch(args):
    """Run ``fetch``; return its exit code.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed arguments.

    Raises
    ------
    LleError
        If the data set could not be had.
    """
    if args.where:
        print(paths.data_dir())
        print(f"LOL there: {fetch.lol_state()}", file=sys.stderr)
        return 0
    if args.what == "verify":
        args.folder = None
        return run_verify(args)
    try:
        folder = fetch.fetch_lol(
            args.source, allow_modified=args.allow_modified, progress=not args.quiet
        )
    except KeyboardInterrupt:
        print(
            "\nStopped. What has arrived is kept; the same command goes on from there.",
            file=sys.stderr,
        )
        return 130
    if args.quiet:
        print(folder)
    return 0


def run_verify(args):
    """Run ``verify``; return 0 if LOL is there as published, 1 if it is not.

    Parameters
    ----------
    args : argparse.Namespace
        Parsed arguments.

    Raises
    ------
    LleError
        If there is no LOL to check.
    """
    report = fetch.verify_lol(args.folder, progress=not args.quiet)
    if not report.findings:
        raise LleError(
            f"there is no LOL in {report.place}. `python -m lle_utils fetch lol` downloads it."
        )
    print(report.verdict() if args.quiet else report.summary())
    if not report.ok and fetch.lol_state(args.folder) == State.MODIFIED:
        print("It was taken with --allow-modified, and says so when it is loaded.")
    return 0 if report.ok else 1
