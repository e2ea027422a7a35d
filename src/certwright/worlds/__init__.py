"""World files that come with the package."""
