"""Channels that come with the product. Each folder is a plugin: ``plugin.py`` with its hook functions, and a README."""
