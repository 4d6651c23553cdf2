"""One module per command of `stockloom`: a function `run`, or a tuple `SUBCOMMANDS`; `runtime.cli` finds them by file name."""
