"""The REST API: the same facade as the pages, in JSON."""
