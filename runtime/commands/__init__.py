"""One module per command: a function `run`, or a tuple `SUBCOMMANDS`; `runtime.cli` finds them by file name."""
