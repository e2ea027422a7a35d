"""What can be done: one module a use case, named by its verb. A use case owns its transactions."""
