"""The long run's profile: `python -m soak.run --part standardize` asks for it by name."""

from hypothesis import settings

settings.register_profile("soak", max_examples=10_000, deadline=None)
