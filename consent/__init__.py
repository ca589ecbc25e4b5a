"""Consent ledger and status: a library beside matching. It holds nothing yet; what consent says is answered 'not known'."""
