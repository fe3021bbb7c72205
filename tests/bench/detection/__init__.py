"""How right the detector is, on labelled data: `make bench-detection`."""
