"""Looking at vendors' items, for the reconciler and the console: what is read becomes a change event for others to
judge.
"""
