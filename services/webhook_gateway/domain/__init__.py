"""Pure decisions of the gateway: who sent this, and what is it. No I/O, no clock, no randomness."""
