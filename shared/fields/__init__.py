"""Field values: from a vendor's JSON to a normal form per side and back, equality on a side, translation between the
sides.

`read` and `render` belong to one side; `translate` crosses. Used by the mapper (read, same, translate) and by the
writers (read, same, render). Pure. Normal forms, by kind: string and text: str or None; number: int or float or None;
option, status, parent and type: id (or name, or decimal text, by shape) or None; options and labels: sorted list of
str; date: `YYYY-MM-DD` or None; date-time: UTC with milliseconds or None; user: see `shared.fields.people`.
"""

from shared.fields.codec import Present, left_out, read, render, render_elements, same
from shared.fields.translate import Translated, Untranslatable, crosswalk, equivalent, translate, writable

__all__ = [
    "Present",
    "Translated",
    "Untranslatable",
    "crosswalk",
    "equivalent",
    "left_out",
    "read",
    "render",
    "render_elements",
    "same",
    "translate",
    "writable",
]
