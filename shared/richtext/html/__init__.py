"""Craft.io's descriptions: HTML as its editor keeps it, and plain text where somebody wrote that.

What is written needs no attribute but `href`: everything else may be stripped by an editor and is known by its words.
"""

from shared.richtext.html.read import parse_html
from shared.richtext.html.write import to_html

__all__ = ["parse_html", "to_html"]
