-- What handlers rely on, one fact a line: kind, then what. 'has' facts must not vanish, 'limit' facts must not be added.
WITH tables AS (
    SELECT c.oid, c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND c.relname <> 'schema_migrations'
), columns AS (
    SELECT t.oid, t.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
           a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '' AS filled
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped
), roles AS (
    SELECT rolname FROM pg_roles WHERE rolname LIKE 'flywheel\_%' AND rolname <> 'flywheel_migrate'
)
SELECT * FROM (
    SELECT format('has column %s.%s %s', relname, attname, type) AS fact FROM columns
    UNION ALL
    SELECT format('has function %s %s', p.oid::regprocedure, pg_get_function_result(p.oid)) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('has attribute %s.%s %s %s', t.typname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod))
      FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE t.typnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('has grant %s %s %s.%s', r.rolname, p, c.relname, c.attname) FROM roles r, columns c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS p
     WHERE has_column_privilege(r.rolname, c.oid, c.attnum, p)
    UNION ALL
    SELECT format('has grant %s DELETE %s', r.rolname, t.relname) FROM roles r, tables t WHERE has_table_privilege(r.rolname, t.oid, 'DELETE')
    UNION ALL
    SELECT format('has grant %s EXECUTE %s', r.rolname, p.oid::regprocedure) FROM roles r, pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND has_function_privilege(r.rolname, p.oid, 'EXECUTE')
    UNION ALL
    SELECT format('has unique %s %s', t.relname, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '')) FROM tables t JOIN pg_index i ON i.indrelid = t.oid WHERE i.indisunique
    UNION ALL
    SELECT format('has policy %s %s %s %s', t.relname, p.polname, p.polcmd, (SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE oid = ANY (p.polroles)))
      FROM tables t JOIN pg_policy p ON p.polrelid = t.oid WHERE p.polpermissive
    UNION ALL
    -- The words that a check lets through; a check that is gone lets everything through.
    SELECT format('has word %s %s %s', t.relname, c.conname, w[1]) FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype = 'c',
           regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_.]+)''::text', 'g') AS w
     WHERE pg_get_constraintdef(c.oid) LIKE '%ANY (ARRAY[%'
    UNION ALL
    SELECT format('limit not-null %s.%s', relname, attname) FROM columns WHERE attnotnull AND NOT filled
    UNION ALL
    SELECT format('limit constraint %s %s %s', t.relname, c.conname, CASE WHEN pg_get_constraintdef(c.oid) LIKE '%ANY (ARRAY[%' THEN '(words)' ELSE pg_get_constraintdef(c.oid) END)
      FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype <> 't'
    UNION ALL
    SELECT format('limit policy %s %s', t.relname, p.polname) FROM tables t JOIN pg_policy p ON p.polrelid = t.oid WHERE NOT p.polpermissive
    UNION ALL
    SELECT format('limit unique %s %s', t.relname, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '')) FROM tables t JOIN pg_index i ON i.indrelid = t.oid WHERE i.indisunique
) AS f ORDER BY fact COLLATE "C";
