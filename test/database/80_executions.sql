-- Executions: partitions that make themselves, ids that count once, counts by day.
\ir lib/begin.psql
SELECT plan(33);
\ir lib/roles.psql

CREATE FUNCTION pg_temp.partitions() RETURNS bigint
    LANGUAGE sql AS $$ SELECT count(*) FROM pg_inherits WHERE inhparent = 'public.execution_telemetry'::regclass $$;
CREATE FUNCTION pg_temp.days(site text, OUT executions numeric, OUT successes numeric)
    LANGUAGE sql AS $$ SELECT sum(d.executions), sum(d.successes) FROM site_daily_executions d WHERE d.site_id = site $$;

-- Partitions.
SELECT has_table('public', 'execution_telemetry_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'), 'this month has a partition');
SELECT has_table('public', 'execution_telemetry_' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM'), 'so has the next');
SELECT is(pg_temp.partitions(), 2::bigint, 'and there are no others yet');
SELECT throws_ok($$SELECT pg_temp.add_execution('a-one', 'old', '2021-03-31 23:59:59.999+00')$$, '23514', NULL, 'a month without a partition takes nothing');
SET LOCAL ROLE flywheel_agent;
SELECT lives_ok($$SELECT ensure_execution_partitions(ARRAY['2021-03-31 23:59:59.999+00', '2021-04-01 00:00:00+00', '2021-04-01 01:00:00+02', NULL]::timestamptz[])$$, 'partitions make themselves: for the appliances'' role, which owns nothing');
SELECT lives_ok($$SELECT ensure_execution_partitions(ARRAY['2021-03-15 00:00:00+00']::timestamptz[])$$, 'asking again is harmless');
SELECT lives_ok($$SELECT ensure_execution_partitions(NULL)$$, 'so is asking for nothing');
SELECT throws_ok(format('SELECT ensure_execution_partitions(ARRAY[%L]::timestamptz[])', m), '22008', NULL, 'a clock gone wild makes no tables: ' || m)
  FROM unnest(ARRAY['1969-12-31 00:00:00+00', '9999-01-01 00:00:00+00', 'infinity', '-infinity']) AS m;
RESET ROLE;
SELECT is(pg_temp.partitions(), 4::bigint, 'one partition a month');
SET LOCAL timezone = 'America/Chicago';
SELECT ensure_execution_partitions(ARRAY['2021-05-15 00:00:00+00']::timestamptz[]) \g /dev/null
SET LOCAL timezone = 'UTC';
SELECT is((SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'execution_telemetry_2021_05'),
          'FOR VALUES FROM (''2021-05-01 00:00:00+00'') TO (''2021-06-01 00:00:00+00'')', 'months are UTC''s, whatever the session''s zone');
SELECT lives_ok($$SELECT pg_temp.add_execution('a-one', 'last of March', '2021-03-31 23:59:59.999+00'), pg_temp.add_execution('a-one', 'first of April', '2021-04-01 00:00:00+00')$$, 'and take what belongs to them');
SELECT is((SELECT tableoid::regclass::text FROM execution_telemetry WHERE execution_id = 'last of March'), 'execution_telemetry_2021_03', 'to the millisecond');
SELECT is((SELECT array_agg(amname || ' ' || x) FROM (SELECT am.amname, replace(pg_get_indexdef(i.indexrelid, 1, true), ' ', '') AS x FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam WHERE i.indrelid = 'public.execution_telemetry_2021_03'::regclass ORDER BY 2) AS s),
          '{"btree created_at","btree partner_id","btree partner_id","btree partner_id"}'::text[], 'a new partition has the parent''s indexes');
SELECT ok(EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'public.execution_telemetry_2021_03'::regclass AND contype = 'f'), 'and its foreign key');

-- An execution counts once.
SELECT throws_ok($$SELECT pg_temp.add_execution('a-one', 'execution 1')$$, '23505', NULL, 'an execution''s id is unique within its site');
SELECT throws_ok($$SELECT pg_temp.add_execution('a-one', 'execution 1', now() - interval '40 days')$$, '23505', NULL, 'across partitions');
SELECT is((SELECT count(*) FROM execution_ids WHERE execution_id = 'execution 1'), 3::bigint, 'another site''s ids are none of its business');
SELECT throws_ok($$INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id, resolution_level) SELECT now(), partner_id, site_id, 'x', 'L4' FROM sites LIMIT 1$$, '23514', NULL, 'a level is L1, L2 or L3');
SELECT throws_ok($$INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id) VALUES (now(), 'aaaaaaaa-0000-4000-8000-000000000001', 'b-one', 'x')$$, '23503', NULL, 'P24: an execution belongs to its site''s partner');

-- Daily counts follow the rows.
DELETE FROM site_daily_executions;
INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id, resolution_level, success)
SELECT v.at, s.partner_id, s.site_id, 'counted ' || v.n, v.level, v.success
  FROM sites s, (VALUES (1, now(), 'L1', true), (2, now(), 'L1', false), (3, now(), 'L1', NULL), (4, now(), 'L3', false), (5, now(), NULL, NULL),
                        (6, '2021-03-31 23:30:00-01'::timestamptz, 'L2', true)) AS v (n, at, level, success)
 WHERE s.site_id = 'a-one';
SELECT is((pg_temp.days('a-one')).executions, 6::numeric, 'each row is counted');
SELECT is((pg_temp.days('a-one')).successes, 2::numeric, 'P20: without the word that it worked, it did not');
SELECT is((SELECT executions FROM site_daily_executions WHERE day = '2021-04-01'), 1::bigint, 'on its UTC day');
SELECT is((SELECT executions FROM site_daily_executions WHERE resolution_level = 'unknown'), 1::bigint, 'without a level as well');
SELECT pg_temp.add_execution('a-one', 'later') \g /dev/null
SELECT is((SELECT executions FROM site_daily_executions WHERE resolution_level = 'L1'), 4::bigint, 'a later row is added');
SELECT is((SELECT sum(executions) FROM site_daily_executions WHERE site_id <> 'a-one'), NULL, 'to its own site only');
SAVEPOINT before;
SELECT pg_temp.add_execution('a-one', 'undone') \g /dev/null
ROLLBACK TO before;
SELECT is((SELECT executions FROM site_daily_executions WHERE resolution_level = 'L1'), 4::bigint, 'a row that is rolled back is not counted');
SELECT is((SELECT sum(executions) FROM site_daily_executions WHERE partner_id = :'a' AND day > (now() AT TIME ZONE 'UTC')::date - 30), 6::numeric, 'P16: 30 days are 30 days, not all time');
SELECT throws_ok($$UPDATE site_daily_executions SET successes = executions + 1$$, '23514', NULL, 'there are no more successes than executions');

-- As the appliances' role does it.
SET LOCAL flywheel.partner_id = :'a';
SET LOCAL flywheel.site_id = 'a-one';
SET LOCAL flywheel.appliance_id = 'a-one-1';
SET LOCAL ROLE flywheel_agent;
SELECT lives_ok($$INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id, resolution_level, success) VALUES (now(), current_partner(), 'a-one', 'by agent', 'L1', true)$$, 'an appliance stores an execution of its site');
RESET ROLE;
SELECT is((SELECT executions FROM site_daily_executions WHERE resolution_level = 'L1'), 5::bigint, 'and it is counted');
SELECT * FROM finish();
ROLLBACK;
