"""A stand-in of Craft.io: its public REST API over state in memory, and the webhook that we assume."""
