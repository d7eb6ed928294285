"""Text that people write and read: names, descriptions.

What cannot be seen is no part of a name, and what turns the letters around it makes a name look
like another (Unicode TR 36, 2.3). Refused are control characters, bidirectional controls, invisible
characters but for the two joiners that scripts and emoji need, and text with nothing to see in it.
The spelling (NFC) is settled before, by `core/request_body.py`.

Events keep plain text, since what was once published must always be readable: this is the text of
requests.
"""

from typing import Annotated

import msgspec

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_BIDI = r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_INVISIBLE = r"\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff"
# Characters beyond 16 bits stand for themselves: JavaScript knows no \U.
_TAGS = f"{chr(0xE0000)}-{chr(0xE007F)}"
_NEVER = _CONTROLS + _BIDI + _INVISIBLE + _TAGS

_MARKS = rf"\u0300-\u036f\ufe00-\ufe0f{chr(0xE0100)}-{chr(0xE01EF)}"
_BLANK = rf"\s{_MARKS}\u115f\u1160\u17b4\u17b5\u200c\u200d\u2800\u3164\uffa0"

# `(?!\n)`: Python's `$` would let a line feed follow.
LINE = rf"^(?=[\s\S]*[^{_BLANK}])[^\t\n{_NEVER}]*$(?!\n)"
"""The pattern of one line with something to see in it."""
PROSE = rf"^(?![\s\S]*[{_NEVER}])"
"""The pattern of text of any number of lines, which may be none."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=LINE)]
"""What people call something."""
Prose = Annotated[str, msgspec.Meta(max_length=4000, pattern=PROSE)]
"""What people say about something."""
