"""The mapper's use cases: one message decides once, in a transaction under the link's row lock; messages are
published after the commit.

Every handler may be run again with the same message at any time. What it raises (`Contended`, `StoreUnavailable`,
`LogUnavailable`) makes the consumer run it again; nothing is lost if the publishing fails, since the clocks find
work by state.
"""
