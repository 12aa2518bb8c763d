"""What the writer touches: Jira."""
