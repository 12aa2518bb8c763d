"""What the API says and takes, as models: views, drafts, problems. Pure."""
