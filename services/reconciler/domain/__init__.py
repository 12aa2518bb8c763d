"""Pure decisions of the reconciler: where a feed goes on, what was published already, how often something is tried."""
