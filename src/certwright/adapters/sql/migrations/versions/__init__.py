"""The versions of the schema, numbered from 1. What has been released never changes."""
