"""The superuser of the instance's private PostgreSQL, to break things on purpose and mend them."""

import contextlib
import os

import psycopg2
from psycopg2 import extensions, sql


class Owner:
    def __init__(self, quickstart):
        host = extensions.parse_dsn(quickstart["database_url"])["host"]
        self.passwords = os.path.join(quickstart["instance_dir"], "etc", "pgpass")
        self.connection = psycopg2.connect(host=host, user="postgres", dbname="flywheel", passfile=self.passwords)
        self.connection.autocommit = True

    def run(self, statement, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)

    def end_handlers_connections(self):
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN "
                 "('flywheel_read', 'flywheel_decide', 'flywheel_account', 'flywheel_access', 'flywheel_agent')")

    @contextlib.contextmanager
    def database_is_away(self):
        """Connections end, and nobody gets a new one."""
        dsn = {**self.connection.get_dsn_parameters(), "dbname": "postgres"}
        elsewhere = psycopg2.connect(**{name: dsn[name] for name in ("host", "user", "dbname")}, passfile=self.passwords)
        elsewhere.autocommit = True
        with contextlib.closing(elsewhere), elsewhere.cursor() as cursor:
            cursor.execute("ALTER DATABASE flywheel ALLOW_CONNECTIONS false")
            try:
                self.end_handlers_connections()
                yield
            finally:
                cursor.execute("ALTER DATABASE flywheel ALLOW_CONNECTIONS true")

    @contextlib.contextmanager
    def schema_is_gone(self):
        """Nothing is called as the statements call it."""
        self.run("ALTER SCHEMA public RENAME TO hidden_by_a_test")
        try:
            self.end_handlers_connections()
            yield
        finally:
            self.run("ALTER SCHEMA hidden_by_a_test RENAME TO public")
            self.end_handlers_connections()

    @contextlib.contextmanager
    def nobody_authenticates(self):
        """The handlers may not look credentials up."""
        roles = "flywheel_read, flywheel_decide, flywheel_account, flywheel_access, flywheel_agent"
        self.run(f"REVOKE EXECUTE ON FUNCTION authenticate(bytea, bytea, bytea) FROM {roles}")
        try:
            yield
        finally:
            self.run(f"GRANT EXECUTE ON FUNCTION authenticate(bytea, bytea, bytea) TO {roles}")

    @contextlib.contextmanager
    def rows_fail(self, table, column, value):
        """Every row of `table` with that value in `column` fails when it is written."""
        body = sql.SQL("BEGIN IF NEW.{} = {} THEN RAISE EXCEPTION 'broken by a test'; END IF; RETURN NEW; END").format(
            sql.Identifier(column), sql.Literal(value)).as_string(self.connection)
        self.run("CREATE OR REPLACE FUNCTION broken_by_a_test() RETURNS trigger LANGUAGE plpgsql AS "
                 + sql.Literal(body).as_string(self.connection))
        self.run(f"CREATE TRIGGER zz_broken_by_a_test BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW "
                 "EXECUTE FUNCTION broken_by_a_test()")
        try:
            yield
        finally:
            self.run(f"DROP TRIGGER zz_broken_by_a_test ON {table}")
            self.run("DROP FUNCTION broken_by_a_test()")

    @contextlib.contextmanager
    def pattern_is_locked(self, pattern_signature):
        """Somebody else's transaction holds the pattern's row."""
        self.connection.autocommit = False
        try:
            self.run("SELECT 1 FROM aggregated_pattern_stats WHERE pattern_signature = %s FOR UPDATE", pattern_signature)
            yield
        finally:
            self.connection.rollback()
            self.connection.autocommit = True

    @contextlib.contextmanager
    def connections_are_read_only(self, role):
        """Who connects as `role` from now on meets a server that only reads, as after a fail-over."""
        self.run(f"ALTER ROLE {role} SET default_transaction_read_only = on")
        try:
            self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", role)
            yield
        finally:
            self.run(f"ALTER ROLE {role} RESET default_transaction_read_only")
