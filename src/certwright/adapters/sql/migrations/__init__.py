"""What Alembic runs: ``env.py``, and one module a version of the schema."""
