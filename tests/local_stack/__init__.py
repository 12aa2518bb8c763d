"""The local stack: it answers when it says so, keeps its data, and leaves nothing behind."""
