"""What a value must be to be believed."""
