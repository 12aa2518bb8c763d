"""The hands on Craft.io: applies writes, reports what happened. Decides nothing; the algorithm is `shared.writing`."""
