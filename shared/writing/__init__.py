"""The writer's half of PROTOCOL, once for both vendors: claim, read, compare, send, report.

Used by jira_writer and craft_writer, which give it their `Hands`. It decides nothing: what was asked is done, or it is
said why not.
"""
