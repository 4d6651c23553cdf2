"""Decision tables, and what can be proved of conditions without running them. Knows expressions and nothing else."""
