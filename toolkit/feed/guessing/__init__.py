"""Guessing how a feed is to be read, from a sample of it."""
