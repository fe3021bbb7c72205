"""Simulated or recorded weather, with faults if wanted, served over HTTP as the feed is."""
