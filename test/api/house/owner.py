"""The superuser of the instance's private PostgreSQL, to break things on purpose and mend them."""

import contextlib
import os

import psycopg2
from psycopg2 import extensions, sql


class Owner:
    def __init__(self, quickstart):
        host = extensions.parse_dsn(quickstart["database_url"])["host"]
        passwords = os.path.join(quickstart["instance_dir"], "etc", "pgpass")
        self.connection = psycopg2.connect(host=host, user="postgres", dbname="flywheel", passfile=passwords)
        self.connection.autocommit = True

    def run(self, statement, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)

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
