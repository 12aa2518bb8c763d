"""What pydantic finds wrong, in words for people who do not program: no tuples, no models, no "Input should". Pure.

Used wherever an admin's words are checked: by the console's API and by the command line.
"""

from __future__ import annotations

import re
from typing import Final

_BY_TYPE: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; is it misspelt?",
    "string_type": "must be text in quotation marks (ids too: they may be longer than a number can hold)",
    "string_too_short": "must not be empty",
    "string_unicode": "must be text in valid Unicode",
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "must be a list"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "dataclass_type"), "must be an object"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
}
_ABOUT: Final = re.compile(r"^(?:Value error, |Assertion failed, )|^(?:Input|String|Tuple|List) should ")


def in_words(kind: str, message: str) -> str:
    """Return the words for one problem, to follow the place where it is. `kind` is pydantic's `type` of it."""
    known = _BY_TYPE.get(kind)
    if known is not None:
        return known
    return _ABOUT.sub(lambda found: "must " if "should" in found[0] else "", message).replace(" after validation", "")
