"""Field values: from a vendor's JSON to a normal form per side and back, equality on a side, translation between the
sides.

`read` and `render` belong to one side; `translate` crosses. Used by the mapper (read, same, translate) and by the
writers (read,
same, render). Pure. Normal forms: string and text: str or None; number: int or float or None; option, status and
parent: id or
None; labels: sorted list; date: `YYYY-MM-DD` or None.
"""

from shared.fields.codec import Present, read, render, same
from shared.fields.translate import Translated, Untranslatable, equivalent, translate

__all__ = ["Present", "Translated", "Untranslatable", "equivalent", "read", "render", "same", "translate"]
