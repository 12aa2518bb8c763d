"""Laws of the stand-in Jira."""
