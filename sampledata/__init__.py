"""A simulated retailer with truth. Imports nothing of ours."""
