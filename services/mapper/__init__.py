"""The only place that decides: change + link + current mapping -> write, or a status that says why not."""
