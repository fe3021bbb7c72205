"""The collector: fetch the feed, store what it offers, in step with the feed."""
