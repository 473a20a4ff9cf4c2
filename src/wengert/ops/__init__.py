"""The operations, one module a family."""
