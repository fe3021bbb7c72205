"""The report as a page: one HTML file that a browser shows without a network."""
