"""Messages to the outside: who wants them how, queueing them with the decision, sending, trying again, giving up."""
