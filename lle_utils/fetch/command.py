"""``python -m lle_utils fetch`` and ``verify``."""

import sys

from lle_utils import fetch, paths
from lle_utils.errors import LleError


def add_fetch_parser(subparsers):
    """Register ``fetch`` and ``verify``; each sets ``run``, which returns the exit code."""
    parser = subparsers.add_parser(
        "fetch",
        help="download the LOL data set and verify it",
        description="Download the LOL data set (350 MB) and verify each of its 1000 pictures. "
        "An interrupted download resumes when you repeat the command.",
    )
    add = parser.add_argument
    add("what", nargs="?", choices=["lol"], default="lol", help="the data set (there is one)")
    add("--from", dest="source", metavar="PLACE", help="an archive, its unpacked folder or a URL")
    add("--allow-modified", action="store_true", help="also accept a complete near copy of LOL")
    add("--where", action="store_true", help="print the data folder, and do nothing else")
    parser.set_defaults(run=_run_fetch)

    parser = subparsers.add_parser("verify", help="check the pictures of LOL, file by file")
    parser.add_argument("folder", nargs="?", help="the data set (default: where fetch puts it)")
    parser.set_defaults(run=_run_verify)


def _run_fetch(args):
    if args.where:
        print(paths.data_dir())
        print(f"LOL there: {fetch.lol_state()}", file=sys.stderr)
        return 0
    fetch.fetch_lol(args.source, allow_modified=args.allow_modified)
    return 0


def _run_verify(args):
    """Run ``verify``; return 0 if LOL is there as published, 1 if it is not."""
    if fetch.lol_state(args.folder) == "absent":
        where = args.folder or paths.lol_dir()
        raise LleError(f"there is no LOL in {where}: `python -m lle_utils fetch lol` gets it")
    report = fetch.verify_lol(args.folder)
    print(report.summary())
    return 0 if report.state == "published" else 1
