"""The only place that knows PostgreSQL: tables, migrations, named SQL, rows to engine values."""
