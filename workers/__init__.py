"""The processes that work: Celery's, which draw and send, and the relay, which wakes them."""
