"""Faults done to a running collector: nothing that the feed offered may be lost, doubled or changed."""
