"""The engine decides: pure functions over frozen values; it knows no web, no database, no clock."""
