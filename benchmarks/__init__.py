"""Real load on a real server, printed as shares of what the same machine can sign in the same run."""
