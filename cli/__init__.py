"""The command line edge, and the supervisor of the embedded services."""
