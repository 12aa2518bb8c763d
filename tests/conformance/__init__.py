"""One suite of laws per port, run on the fake and on the real thing alike."""
