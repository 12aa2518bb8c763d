"""What the Jira writer works out without asking anybody."""
