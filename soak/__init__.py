"""Long random runs against the promises of the service: `make soak`. Not part of the packaged product."""
