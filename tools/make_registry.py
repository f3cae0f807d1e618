"""Make the list of pixel hashes that the registry keeps, from a copy of the data set.

    python tools/make_registry.py FOLDER our485/low eval15/low eval15/high

FOLDER holds the data set. Name only subfolders whose pixels are known to be the published ones.
"""

import sys
from pathlib import Path

from lle_utils.fetch.verify import decode_rgb, pixel_hash


def main(arguments):
    """Print one ``DIGEST  NAME`` a picture for the subfolders named on the command line."""
    if len(arguments) < 2:
        raise SystemExit(__doc__)
    folder, *subfolders = arguments
    for subfolder in subfolders:
        paths = (Path(folder) / subfolder).glob("*.png")
        for path in sorted(paths, key=lambda path: (len(path.stem), path.stem)):
            print(f"{pixel_hash(*decode_rgb(path.read_bytes()))}  {subfolder}/{path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
