"""The outside, each part kept to its port."""
