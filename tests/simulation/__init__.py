"""The whole system in one process on virtual time, by seeds (`make simulate`); docs/simulation.md says how."""
