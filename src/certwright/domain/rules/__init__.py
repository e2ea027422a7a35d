"""One rule a module: what it looks at, where it comes from. Each returns every fault it finds, an empty list for none."""
