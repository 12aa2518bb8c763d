"""A stand-in of Jira Cloud: REST v3 with ADF and REST v2 with wiki strings over one store, and its admin webhooks.

Entry points: `sandbox.jira.site.JiraSite` and `sandbox.jira.settings.JiraSiteSettings`. Served by `sandbox.kit.server`
and called directly by the simulation. Nothing here does I/O, waits, or reads the system clock.
"""
