"""Times that come again: cron lines and plain words → the moments they mean. Pure; knows no clock and no zone."""
