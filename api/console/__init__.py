"""The stewards' console: pages made on the server, calling the same services as the API. Reads and decides without JavaScript."""
