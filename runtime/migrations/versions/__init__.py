"""One module per revision, named by intent."""
