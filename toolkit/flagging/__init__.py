"""Flags of QARTOD's scheme: what detection runs say of the values of sensors, and the flag of every value."""
