"""Webhook endpoints, signing, delivery and feed: a library beside matching. It holds nothing yet; events wait in the outbox."""
