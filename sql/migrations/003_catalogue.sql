-- The catalogue of runbooks: data, not code. Operators extend it.

CREATE TABLE IF NOT EXISTS runbooks (
    runbook_id     text PRIMARY KEY CHECK (runbook_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$'),
    title          text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    platform       text NOT NULL CHECK (platform IN ('windows', 'linux')),
    action         text NOT NULL CHECK (action IN (
                       'update_to_baseline_generation', 'restart_av_service', 'run_backup_job',
                       'restart_logging_services', 'restore_firewall_baseline', 'run_windows_runbook',
                       'run_linux_runbook', 'renew_certificate', 'cleanup_disk_space')),
    risk_tier      text NOT NULL DEFAULT 'R1' CHECK (risk_tier IN ('R0', 'R1', 'R2', 'R3')),
    hipaa_controls text[] NOT NULL DEFAULT '{}',
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- A check type has one runbook; a runbook may serve several check types.
CREATE TABLE IF NOT EXISTS runbook_check_types (
    check_type text PRIMARY KEY CHECK (check_type ~ '^[a-z0-9_.-]{1,64}$'),
    runbook_id text NOT NULL REFERENCES runbooks (runbook_id) ON UPDATE CASCADE,
    -- The signature of incidents that say no more than {type: X, check_type: X}: how the pattern of an
    -- agent that does not send the check type is recognised (rules/signature.h has the definition).
    pattern_signature text NOT NULL GENERATED ALWAYS AS (left(encode(sha256(decode(
        '{"check_type": "' || check_type || '", "error_pattern": "", "type": "' || check_type || '"}',
        'escape')), 'hex'), 16)) STORED UNIQUE
);
CREATE INDEX IF NOT EXISTS check_types_of_runbook ON runbook_check_types (runbook_id, check_type);
