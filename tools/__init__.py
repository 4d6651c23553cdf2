"""What maintainers run: locking, vendoring, release. Never imported by the product."""
