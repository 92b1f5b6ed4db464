-- Counters, rates, eligibility, and the sums that partners see.
\ir lib/begin.psql
SELECT plan(62);

CREATE FUNCTION pg_temp.pattern(signature text, OUT rate double precision, OUT mean double precision, OUT eligible boolean)
    LANGUAGE sql
    AS $$ SELECT success_rate, avg_resolution_time_ms, promotion_eligible FROM aggregated_pattern_stats
           WHERE site_id = 'a-one' AND pattern_signature = signature $$;
CREATE FUNCTION pg_temp.eligible(occurrences bigint, l2 bigint, successes bigint, action text DEFAULT 'RB-WIN-SERVICES-001') RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    answer boolean;
BEGIN
    INSERT INTO aggregated_pattern_stats (site_id, pattern_signature, total_occurrences, l2_resolutions, success_count, recommended_action)
    VALUES ('b-one', 'x' || gen_random_uuid(), occurrences, l2, successes, action) RETURNING promotion_eligible INTO answer;
    RETURN answer;
END
$$;

-- Impossible counters.
SELECT throws_ok(format($$UPDATE aggregated_pattern_stats SET %I = -1$$, c), '23514', NULL, 'P18: a site''s ' || c || ' is never negative')
  FROM unnest(ARRAY['total_occurrences', 'l1_resolutions', 'l2_resolutions', 'l3_resolutions', 'success_count', 'total_resolution_time_ms']) AS c;
SELECT throws_ok(format($$UPDATE appliance_pattern_stats SET %I = -1$$, c), '23514', NULL, 'P18: an appliance''s ' || c || ' is never negative')
  FROM unnest(ARRAY['total_occurrences', 'l1_resolutions', 'l2_resolutions', 'l3_resolutions', 'success_count', 'total_resolution_time_ms']) AS c;
SELECT throws_ok($$UPDATE aggregated_pattern_stats SET success_count = total_occurrences + 1$$, '23514', NULL, 'P18: a site has no more successes than occurrences');
SELECT throws_ok($$UPDATE appliance_pattern_stats SET success_count = total_occurrences + 1$$, '23514', NULL, 'P18: nor has an appliance');
SELECT throws_ok($$UPDATE aggregated_pattern_stats SET l1_resolutions = total_occurrences, l2_resolutions = 1$$, '23514', NULL, 'P18: levels do not add up to more than the occurrences');
SELECT throws_ok($$UPDATE appliance_pattern_stats SET l1_resolutions = 2147483647, l2_resolutions = 2147483647$$, '23514', NULL, 'P18: nor an appliance''s, and summing them does not overflow');
SELECT lives_ok($$UPDATE aggregated_pattern_stats SET total_occurrences = 3 * 2147483647::bigint WHERE site_id = 'b-one'$$, 'P18: three appliances at the limit of their counters can be summed');
SELECT throws_ok($$UPDATE appliance_pattern_stats SET total_occurrences = 2147483648$$, '22003', NULL, 'P18: an appliance''s counter ends at 2^31 - 1');

-- Rates.
SELECT pg_temp.add_pattern('a-one', 'fresh', 0, 0, 0) \g /dev/null
SELECT ok((pg_temp.pattern('fresh')).rate IS NULL, 'P15: the success rate of nothing is null, not 0 or 1');
SELECT ok((pg_temp.pattern('fresh')).mean IS NULL, 'P15: the mean time of nothing is null');
SELECT ok(NOT (pg_temp.pattern('fresh')).eligible, 'P15: nothing is not eligible');
UPDATE aggregated_pattern_stats SET total_occurrences = 15, success_count = 14, total_resolution_time_ms = 30 WHERE pattern_signature = 'fresh';
SELECT is((pg_temp.pattern('fresh')).rate, 14 / 15.0::double precision, 'P15: the rate is a fraction');
SELECT is((pg_temp.pattern('fresh')).mean, 2::double precision, 'the mean time follows the counters');
UPDATE aggregated_pattern_stats SET success_rate = 93, avg_resolution_time_ms = 5, promotion_eligible = true WHERE pattern_signature = 'fresh';
SELECT is((pg_temp.pattern('fresh')).rate, 14 / 15.0::double precision, 'P15: a writer''s own rate, in per cent say, is not taken');
SELECT ok(NOT (pg_temp.pattern('fresh')).eligible, 'P18: nor its own word on eligibility');
SELECT throws_ok($$UPDATE aggregated_pattern_stats SET first_seen = 'NaN'$$, '22007', NULL, 'P18: NaN is no date');

-- Eligibility: 5 occurrences, 3 by L2, 0.90, and an action.
SELECT ok(pg_temp.eligible(5, 3, 5), 'P18: exactly at the thresholds is eligible');
SELECT ok(pg_temp.eligible(10, 3, 9), 'P18: a rate of exactly 0.90 is eligible');
SELECT ok(NOT pg_temp.eligible(4, 3, 4), 'P18: four occurrences are too few');
SELECT ok(NOT pg_temp.eligible(5, 2, 5), 'P18: two by L2 are too few');
SELECT ok(NOT pg_temp.eligible(19, 10, 17), 'P18: 17 of 19 is below 0.90');
SELECT ok(NOT pg_temp.eligible(10, 10, 10, 'escalate'), 'P20: what a person solved is not eligible');
SELECT ok(NOT pg_temp.eligible(10, 10, 10, NULL), 'P18: without an action nothing is eligible');
SELECT ok(NOT pg_temp.eligible(10, 10, 10, ' '), 'P18: nor with a blank one');
SELECT ok((pg_temp.pattern('pattern')).eligible, 'a good pattern is eligible');
UPDATE aggregated_pattern_stats SET total_occurrences = total_occurrences + 2 WHERE pattern_signature = 'pattern';
SELECT ok(NOT (pg_temp.pattern('pattern')).eligible, 'P18: eligibility is revoked when success falls');
UPDATE aggregated_pattern_stats SET total_occurrences = total_occurrences + 20, success_count = success_count + 20 WHERE pattern_signature = 'pattern';
SELECT ok((pg_temp.pattern('pattern')).eligible, 'P18: and comes back when it rises');

-- Thresholds are configuration; a partner's own count before the general ones, at once.
UPDATE learning_thresholds SET min_occurrences = 1000 WHERE partner_id = :'a';
SELECT ok(NOT (pg_temp.pattern('pattern')).eligible, 'a partner''s own thresholds count at once');
SELECT ok(pg_temp.eligible(5, 3, 5), 'and for that partner only');
DELETE FROM learning_thresholds WHERE partner_id = :'a';
SELECT ok((pg_temp.pattern('pattern')).eligible, 'without them the general ones count again');
SELECT throws_ok($$INSERT INTO learning_thresholds (partner_id) VALUES (NULL)$$, '23505', NULL, 'there is one row of general thresholds');
SELECT throws_ok($$UPDATE learning_thresholds SET min_success_rate = 90$$, '23514', NULL, 'P15: a threshold in per cent is refused');
DELETE FROM learning_thresholds;
SELECT ok(NOT pg_temp.eligible(10, 10, 10), 'without any thresholds nothing is eligible');
INSERT INTO learning_thresholds (partner_id) VALUES (NULL);

-- Signatures.
SELECT pg_temp.add_pattern('a-one', repeat('s', 64)) \g /dev/null
SELECT is((SELECT length(pattern_signature) FROM aggregated_pattern_stats WHERE pattern_signature LIKE 'sss%'), 64, 'P19: a signature of 64 characters is kept whole');
SELECT throws_ok(format('SELECT pg_temp.add_pattern(%L, %L)', 'a-one', s), '23514', NULL, 'P19: refused, not cut: ' || left(coalesce(nullif(s, ''), '(empty)'), 20))
  FROM unnest(ARRAY[repeat('s', 65), '', 'white space', 'quote"', 'Äpfel']) AS s;
SELECT throws_ok($$INSERT INTO aggregated_pattern_stats (site_id, pattern_signature, check_type) VALUES ('a-one', 'y', 'Not A Check Type')$$, '23514', NULL, 'a check type is lower-case words');

-- A partner's totals, however many rules, sites and appliances there are.
DELETE FROM promoted_rule_deployments;
UPDATE promoted_rules SET status = 'archived';
DELETE FROM appliance_pattern_stats;
ALTER TABLE learning_promotion_candidates DISABLE TRIGGER USER;
DELETE FROM promoted_rule_versions;
DELETE FROM promoted_rules;
DELETE FROM learning_promotion_candidates;
DELETE FROM aggregated_pattern_stats;
ALTER TABLE learning_promotion_candidates ENABLE TRIGGER USER;
INSERT INTO site_appliances (appliance_id, site_id) SELECT 'more-' || s || n, s FROM unnest(ARRAY['a-one', 'a-two', 'b-one']) AS s, generate_series(1, 7) AS n;
INSERT INTO aggregated_pattern_stats (site_id, pattern_signature, total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_count, recommended_action)
SELECT s, 'p' || n, 20, 5, 10, 3, CASE WHEN n > 8 THEN 10 ELSE 19 END, 'RB-WIN-SERVICES-001'
  FROM unnest(ARRAY['a-one', 'a-two', 'b-one']) AS s, generate_series(1, 10) AS n;
SELECT pg_temp.approve(s, 'p' || n, 'rule-' || s || n) FROM unnest(ARRAY['a-one', 'a-two', 'b-one']) AS s, generate_series(1, 4) AS n \g /dev/null
UPDATE promoted_rules SET status = 'disabled' WHERE pattern_signature = 'p1';
UPDATE promoted_rules SET status = 'archived' WHERE pattern_signature = 'p2';

CREATE FUNCTION pg_temp.stats(partner text) RETURNS v_partner_learning_stats
    LANGUAGE sql AS $$ SELECT v FROM v_partner_learning_stats v WHERE partner_id = partner::uuid $$;
SELECT is((pg_temp.stats(:'a')).total_incidents, 400::bigint, 'P14: occurrences are not multiplied by rules, sites or appliances');
SELECT is((pg_temp.stats(:'a')).total_l1_resolutions, 100::bigint, 'P14: nor are L1 resolutions');
SELECT is((pg_temp.stats(:'a')).total_l2_resolutions, 200::bigint, 'P14: nor L2');
SELECT is((pg_temp.stats(:'a')).total_l3_resolutions, 60::bigint, 'P14: nor L3');
SELECT is((pg_temp.stats(:'a')).active_promoted_rules, 4::bigint, 'P14: active rules are not multiplied by patterns; disabled and archived do not count');
SELECT is((pg_temp.stats(:'a')).pending_candidates, 8::bigint, 'P14: undecided and eligible: 16 eligible less 8 decided');
SELECT is(round((pg_temp.stats(:'a')).avg_success_rate::numeric, 9), 0.950000000, 'the mean rate is over eligible patterns only');
SELECT is((pg_temp.stats(:'b')).total_incidents, 200::bigint, 'another partner''s totals are its own');
SELECT is((pg_temp.stats(:'c')).total_incidents, 0::bigint, 'a partner without patterns has a row of zeroes');
SELECT ok((pg_temp.stats(:'c')).avg_success_rate IS NULL, 'P15: and no mean rate');
SELECT is((SELECT count(*) FROM v_partner_learning_stats), 3::bigint, 'one row a partner');
SELECT is((SELECT count(*) FROM v_partner_promotion_candidates WHERE partner_id = :'a'), 16::bigint, 'P14: one row a candidate');
SELECT * FROM finish();
ROLLBACK;
