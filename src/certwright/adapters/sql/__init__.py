"""The store on SQLite and PostgreSQL: tables, repositories, transactions and the migrations of the schema."""
