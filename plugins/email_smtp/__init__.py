"""E-mail: messages to one person, through the company's mail server."""
