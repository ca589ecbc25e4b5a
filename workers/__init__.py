"""The Celery edge: messages carry ids only and are doorbells; the truth of all work is in PostgreSQL."""
