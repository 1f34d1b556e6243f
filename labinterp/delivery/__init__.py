"""How a finished report reaches a clinician: the message, and the talk with a mail server."""
