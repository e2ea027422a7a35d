"""Processes beside the server that sign, so that its own interpreter is free for everything else."""
