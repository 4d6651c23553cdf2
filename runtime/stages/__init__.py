"""The seven stages of a submission; ``runtime.submit`` calls them in their order."""
