"""Bytes and values: one module a standard, no input or output. Imports the domain only."""
