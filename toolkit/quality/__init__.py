"""Quality control: which observations are stored, and the tests that flag them."""
