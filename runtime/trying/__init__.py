"""Trying before publishing: a draft workflow or rule on a real document, or over a past period, without any effect."""
