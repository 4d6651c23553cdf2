"""Rules: when … if … then …, evaluated on facts, answering with verdicts."""
