"""Card numbers have no business here: a way to see one before it is stored or logged. Pure."""

import re

# A whole run of 13 to 19 digits, as people group them. Longer runs are no card numbers.
_RUN = re.compile(r"(?<![0-9])(?<![0-9][ -])[0-9](?:[ -]?[0-9]){12,18}(?![ -]?[0-9])")


def holds_card_number(text: str) -> bool:
    """Whether 13 to 19 digits in the text, spaces and dashes aside, pass Luhn's check.

    One random run of digits in ten passes as well: keep this away from opaque identifiers.
    """
    return any(_passes_luhn(re.sub("[ -]", "", run)) for run in _RUN.findall(text))


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: from the right, every second digit counts double."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0
