"""Storage: the only package that knows SQL. Core statements over an open connection; no decision is taken here."""
