"""Make a PNG of an SVG drawing: `python -m millrace.telemetry.plot_png SCALE < in.svg > out.png`.

A process of its own, since libvips reads SVG only where the image pipeline, which forbids it to
the whole process, was not imported.
"""

import sys


def main() -> None:
    """Read the drawing from standard input and write the picture to standard output."""
    try:
        import pyvips
    except (ImportError, OSError) as error:
        sys.exit(f"A PNG needs libvips ({error}): write .svg or .html.")
    picture = pyvips.Image.svgload_buffer(sys.stdin.buffer.read(), scale=float(sys.argv[1]))
    sys.stdout.buffer.write(picture.write_to_buffer(".png"))


if __name__ == "__main__":
    main()
