"""The Atlassian Document Format, in which Jira Cloud's REST v3 reads and writes long text.

https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ and the published JSON schema.
"""

from shared.richtext.adf.read import parse_adf
from shared.richtext.adf.write import to_adf

__all__ = ["parse_adf", "to_adf"]
