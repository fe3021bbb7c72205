"""`make bench`: speed, memory and size, each against a bound, and against a reference in the same run."""
