"""Jira's text formatting notation: descriptions on Data Center, and in webhook bodies on Cloud too.

https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
"""

from shared.richtext.wiki.blocks import parse_wiki
from shared.richtext.wiki.write import to_wiki

__all__ = ["parse_wiki", "to_wiki"]
