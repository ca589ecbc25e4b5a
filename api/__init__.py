"""The REST edge: opens the transaction, calls one service, answers. The only package that knows FastAPI."""
