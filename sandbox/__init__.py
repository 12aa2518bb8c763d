"""Stand-ins of Jira and Craft.io: real HTTP servers with state, webhooks, faults and limits on demand.

Used by the demo, the tests and the simulation; never by a service. They behave as the vendors do, not as we would like.
"""
