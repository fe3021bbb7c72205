"""The checks, in a file for each subject."""
