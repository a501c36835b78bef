"""The entry point names another module, which is not in the distribution."""
