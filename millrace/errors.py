"""The one exception that the command line shows as a plain line."""


class MillraceError(Exception):
    """Something the user can act on: the message says what is wrong and what to do about it."""
