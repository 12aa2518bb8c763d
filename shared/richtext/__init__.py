"""Rich text between Jira (ADF, wiki markup) and Craft.io (HTML)."""
