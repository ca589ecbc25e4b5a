"""Consent: an append-only ledger of acts, and what they amount to at a time. A library; knows no golden record."""
