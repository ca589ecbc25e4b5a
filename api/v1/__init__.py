"""Version 1 of the interface: one resource a file."""
