"""Approval: the life cycle table, runs as data, and the pure functions that advance them."""
