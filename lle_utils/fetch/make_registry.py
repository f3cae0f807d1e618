"""Make the lists of pixel hashes and looks that the registry keeps, from a copy of the data set.

    python -m lle_utils.fetch.make_registry hashes FOLDER our485/low eval15/low eval15/high
    python -m lle_utils.fetch.make_registry looks FOLDER our485/{low,high} eval15/{low,high}

FOLDER holds the data set. For hashes, name only subfolders whose pixels are known to be the
published ones; a look survives re-encoding.
"""

import sys
from pathlib import Path

from lle_utils.fetch.pixels import decode_rgb, look, pixel_hash

MADE = {"hashes": pixel_hash, "looks": look}


def main(arguments):
    """Print one ``DIGEST  NAME`` a picture for the subfolders named on the command line."""
    if len(arguments) < 3 or arguments[0] not in MADE:
        raise SystemExit(__doc__)
    what, folder, *subfolders = arguments
    for subfolder in subfolders:
        paths = (Path(folder) / subfolder).glob("*.png")
        for path in sorted(paths, key=lambda path: (len(path.stem), path.stem)):
            print(f"{MADE[what](*decode_rgb(path.read_bytes()))}  {subfolder}/{path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
