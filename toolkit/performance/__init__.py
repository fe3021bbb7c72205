"""How a network performed in a month: availability, timeliness, quality and incidents (docs/network-performance.md)."""
