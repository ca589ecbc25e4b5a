"""The pages for customers: an application of its own, without a key, a golden record or any route of the API."""
