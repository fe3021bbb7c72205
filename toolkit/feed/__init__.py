"""The feed: fetched over HTTP, read tolerantly."""
