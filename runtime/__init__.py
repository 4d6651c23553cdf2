"""Stockloom performs here: HTTP, storage, transactions, jobs and delivery. What to do is decided in `engine`."""
