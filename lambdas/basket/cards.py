"""Card numbers have no business here: a way to see one before it is stored or logged. Pure."""

import re

_DIGITS = re.compile(r"[0-9]{13,19}")


def is_card_number(text: str) -> bool:
    """Whether all of the text is 13 to 19 digits that pass Luhn's check (ISO/IEC 7812-1, annex B).

    All of it, since one run of digits in ten passes by chance: looked for within identifiers, it
    would refuse good ones.
    """
    return _DIGITS.fullmatch(text) is not None and _passes_luhn(text)


def _passes_luhn(digits: str) -> bool:
    """From the right, every second digit counts double."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0
