"""The eyes and the clocks: looks at what the vendors show, and finds by state whatever no message brings forward."""
