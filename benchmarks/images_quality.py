"""Scores renditions: `python -m benchmarks.images_quality SOURCE FOLDER`, in the peers' python.

Prints a SSIMULACRA2 score a line, ours first, widest first. The reference is Pillow's LANCZOS
resize of the whole source, uncompressed, which favours the method that resizes in just this way.
"""

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.images_methods import WIDTHS


def main() -> None:
    """Score `ours` and `pillow` at every width."""
    from PIL import Image

    score = import_module("ssimulacra2").compute_ssimulacra2
    source = Image.open(sys.argv[1])
    folder = Path(sys.argv[2])
    for method in ("ours", "pillow"):
        for width in WIDTHS:
            made = folder / f"{method}-{width}.jpg"
            with Image.open(made) as rendition:
                reference = folder / f"reference-{width}.png"
                if not reference.exists():
                    source.resize(rendition.size, Image.Resampling.LANCZOS).save(reference)
            print(score(str(reference), str(made)), flush=True)


if __name__ == "__main__":
    main()
