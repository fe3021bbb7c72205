"""The detector: which readings are faults of a station, and which are weather."""
