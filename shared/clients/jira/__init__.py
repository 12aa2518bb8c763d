"""Jira: its JSON shapes and the client of its REST interface."""
