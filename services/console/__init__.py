"""The face: shows what is known of each item, takes what people ask for, and saves what an admin sets. Decides
nothing.
"""
