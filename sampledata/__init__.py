"""A simulated retailer with truth: customers, their lives, their channels and the errors of those channels.

Deterministic by seed, streaming, and of use to anyone: imports nothing of ours. Start at `sampledata.retailer.simulate`.
"""
