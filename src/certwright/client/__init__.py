"""What a client runs: the REST client, keys and requests for certificates. Uses formats, never the server."""
