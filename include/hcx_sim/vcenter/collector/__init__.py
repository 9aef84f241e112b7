"""The property collector: one-time reads with paging, and filters that tell what changed."""
