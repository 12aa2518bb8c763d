"""The hands on Jira: applies writes, reports what happened. Decides nothing; the algorithm is `shared.writing`."""
