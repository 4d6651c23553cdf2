"""Rules that nobody's submission wakes: schedules, dates, messages from outside, buttons, imports, overdue to-dos."""
