"""Configuration as code: the YAML file of connections and integrations, what is different in it, and saving that.

Used by the command line (over the console's API) and by the console itself, which provisions from mounted files. Knows
no HTTP, no store and no clock: where the configuration is kept is the port `Console`.
"""
