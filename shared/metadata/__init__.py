"""What both sides consist of (fields, types, screens, lists, permissions), as records that know neither vendor's JSON.

Read by `shared.clients.jira.metadata` and `shared.clients.craft.metadata`; used by the console, which checks and
suggests mappings with them. Pure.
"""
