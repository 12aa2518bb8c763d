"""A stand-in of Jira: REST v3 with ADF and REST v2 with wiki strings over one store, and its admin webhooks.

Jira Cloud unless told otherwise; `sandbox.jira.edition` names what Jira Data Center does differently.

Entry points: `sandbox.jira.site.JiraSite` and `sandbox.jira.settings.JiraSiteSettings`. Served by `sandbox.kit.server`
and called directly by the simulation. Nothing here does I/O, waits, or reads the system clock.
"""
