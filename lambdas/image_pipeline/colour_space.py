"""Primaries and white point, and the matrix from their light to XYZ as ICC profiles want it.

Sources: SMPTE RP 177 (matrix from chromaticities), ICC.1:2022, annex E (Bradford adaptation).
"""

from typing import NamedTuple

Point = tuple[float, float]
Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

_BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
D50: Vector = (0.9642, 1.0, 0.8249)


class Chromaticities(NamedTuple):
    """CIE 1931 x, y of the three primaries and of white."""

    red: Point
    green: Point
    blue: Point
    white: Point


def to_xyz_d50(space: Chromaticities) -> Matrix:
    """The matrix from linear RGB to XYZ, adapted to D50; white has a Y of 1.

    Raises ZeroDivisionError for primaries on one line and a white point without light.
    """
    x, y = space.white
    white: Vector = (x / y, 1.0, (1 - x - y) / y)
    directions = _transposed(
        (_direction(space.red), _direction(space.green), _direction(space.blue))
    )
    light = _applied(_inverse(directions), white)
    to_xyz = _product(directions, _diagonal(light))
    return _product(_adaptation(white), to_xyz)


def _direction(point: Point) -> Vector:
    return point[0], point[1], 1 - point[0] - point[1]


def _adaptation(white: Vector) -> Matrix:
    seen, wanted = _applied(_BRADFORD, white), _applied(_BRADFORD, D50)
    scale = _diagonal((wanted[0] / seen[0], wanted[1] / seen[1], wanted[2] / seen[2]))
    return _product(_inverse(_BRADFORD), _product(scale, _BRADFORD))


def _diagonal(values: Vector) -> Matrix:
    return (values[0], 0.0, 0.0), (0.0, values[1], 0.0), (0.0, 0.0, values[2])


def _transposed(m: Matrix) -> Matrix:
    a, b, c = zip(*m, strict=True)
    return a, b, c


def _applied(m: Matrix, v: Vector) -> Vector:
    a, b, c = (row[0] * v[0] + row[1] * v[1] + row[2] * v[2] for row in m)
    return a, b, c


def _product(left: Matrix, right: Matrix) -> Matrix:
    a, b, c = (_applied(left, column) for column in _transposed(right))
    return _transposed((a, b, c))


def _inverse(m: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = m
    minors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    whole = a * minors[0][0] + b * minors[1][0] + c * minors[2][0]
    x, y, z = ((row[0] / whole, row[1] / whole, row[2] / whole) for row in minors)
    return x, y, z
