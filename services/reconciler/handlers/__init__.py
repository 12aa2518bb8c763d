"""The reconciler's duties, one module each. Each finds its work by state, so that a lost message or a crash costs
time only.
"""
