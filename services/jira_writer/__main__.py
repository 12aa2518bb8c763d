"""`python -m services.jira_writer`."""

from services.jira_writer.bootstrap import open_service
from services.jira_writer.settings import JiraWriterSettings
from shared.runtime.service import main

if __name__ == "__main__":
    raise SystemExit(main("jira_writer", JiraWriterSettings, open_service))
