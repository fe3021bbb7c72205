"""The detector: is this station lying, or is this weather?"""
