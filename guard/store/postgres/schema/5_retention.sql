-- oldest: 1
-- Forgets what no longer answers, at most p_limit effects (guard.Store.Prune); a period that is NULL is for ever. It runs with the rights of
-- the owner of the ledger, because nobody else may change history, and so keeps the rules itself, whoever calls it: only the
-- owner may also tell it the time.
--
-- Effects are looked at in the order of their creation and in spans, from where the last call ended, so that a call takes about
-- as long in a great ledger as in a small one. A call that found less than p_limit has been through all that is old enough, or through
-- as many spans as it may.
CREATE FUNCTION onceguard.prune(p_now timestamptz, p_bodies_us bigint, p_rows_us bigint, p_limit bigint, OUT bodies bigint, OUT rows bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
	old    timestamptz;
BEGIN
	IF p_now IS NOT NULL AND NOT pg_has_role(session_user, current_user, 'MEMBER') THEN
		RAISE EXCEPTION 'only the owner of the ledger says what time it is' USING ERRCODE = 'insufficient_privilege';
	END IF;
	bodies := 0;
	rows := 0;
	PERFORM FROM onceguard.pruning WHERE id = 1 FOR UPDATE; -- one at a time
	PERFORM set_config('onceguard.pruning', 'on', TRUE);
	IF p_rows_us IS NOT NULL THEN
		old := onceguard.later(moment, -p_rows_us);
		rows := onceguard.prune_spans(moment, old, TRUE, p_limit);
		DELETE FROM onceguard.tallies WHERE start <= old;
	END IF;
	IF p_bodies_us IS NOT NULL THEN
		bodies := onceguard.prune_spans(moment, onceguard.later(moment, -p_bodies_us), FALSE, p_limit - rows);
	END IF;
	DELETE FROM onceguard.uses WHERE number IN (
		SELECT u.number FROM onceguard.uses AS u
		WHERE u.at < moment - interval '31 days' AND NOT EXISTS (SELECT FROM onceguard.effects AS e WHERE e.number = u.number)
		LIMIT p_limit);
	PERFORM set_config('onceguard.pruning', '', TRUE);
END $$;

-- Goes through the spans of effects that have not changed since p_old and forgets at most p_limit of them, or their bytes.
CREATE FUNCTION onceguard.prune_spans(p_now timestamptz, p_old timestamptz, p_rows boolean, p_limit bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	span     constant bigint := 5000;
	start    bigint := (SELECT CASE WHEN p_rows THEN p.rows ELSE p.bodies END FROM onceguard.pruning AS p);
	place    bigint := start;
	wrapped  boolean := start = 0;
	created  timestamptz;
	numbers  bigint[];
	total    bigint := 0;
BEGIN
	FOR i IN 1 .. 20 LOOP
		EXIT WHEN total >= p_limit;
		SELECT e.number - 1, e.created INTO place, created FROM onceguard.effects AS e WHERE e.number > place ORDER BY e.number LIMIT 1;
		IF NOT FOUND OR created > p_old + interval '1 minute' OR wrapped AND start > 0 AND place >= start THEN
			place := 0;
			EXIT WHEN wrapped;
			wrapped := TRUE;
			CONTINUE;
		END IF;
		numbers := onceguard.prunable(p_now, p_old, p_rows, place, place + span, p_limit - total);
		IF p_rows THEN
			DELETE FROM onceguard.effects WHERE number = ANY (numbers);
			DELETE FROM onceguard.events WHERE effect = ANY (numbers);
		ELSE
			UPDATE onceguard.effects SET bodies = FALSE WHERE number = ANY (numbers);
			UPDATE onceguard.events SET
				arguments_hash = CASE WHEN arguments IS NULL THEN arguments_hash ELSE sha256(arguments) END,
				body_hash = CASE WHEN body IS NULL THEN body_hash ELSE sha256(body) END,
				arguments = NULL, body = NULL
			WHERE effect = ANY (numbers) AND (arguments IS NOT NULL OR body IS NOT NULL);
		END IF;
		total := total + coalesce(array_length(numbers, 1), 0);
		IF numbers = '{}' THEN -- else there may be more: what was forgotten may have kept others
			place := place + span;
		END IF;
	END LOOP;
	IF p_rows THEN
		UPDATE onceguard.pruning SET rows = place WHERE pruning.rows <> place;
	ELSE
		UPDATE onceguard.pruning SET bodies = place WHERE pruning.bodies <> place;
	END IF;
	RETURN total;
END $$;

-- The effects of a span that no longer answer and have not changed since p_old, the first p_limit, with their rows held. A row
-- is kept while its absence could let another effect answer that does not: an earlier generation, or one that it superseded.
CREATE FUNCTION onceguard.prunable(
	p_now timestamptz, p_old timestamptz, p_rows boolean, p_after bigint, p_to bigint, p_limit bigint
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	e       record;
	numbers bigint[] := '{}';
BEGIN
	FOR e IN
		SELECT * FROM onceguard.effects AS x
		WHERE x.number > p_after AND x.number <= p_to AND x.updated <= p_old AND (p_rows OR x.bodies)
			AND x.state IN ('done', 'failed', 'refused') AND coalesce(x.window_until <= p_now, TRUE) AND x.review = ''
		ORDER BY x.updated, x.number FOR UPDATE SKIP LOCKED
	LOOP
		EXIT WHEN array_length(numbers, 1) >= p_limit;
		CONTINUE WHEN p_rows AND EXISTS (
			SELECT FROM onceguard.effects AS o
			WHERE o.key = e.key AND o.generation < e.generation AND o.number <> ALL (numbers));
		CONTINUE WHEN p_rows AND e.state = 'done' AND e.resource IS NOT NULL AND EXISTS (
			SELECT FROM onceguard.finished AS f JOIN onceguard.effects AS o ON o.number = f.number
			WHERE f.resource = e.resource AND f.since < e.since AND o.tenant = e.tenant AND o.key <> e.key AND o.window_until > p_now);
		numbers := numbers || e.number;
	END LOOP;
	RETURN numbers;
END $$;

REVOKE EXECUTE ON FUNCTION onceguard.prune_spans, onceguard.prunable FROM PUBLIC;

-- Adds to counters, in the bucket of the time. The parameters have one element for each counter, sorted, so that two statements wait for each
-- other in one order only.
CREATE FUNCTION onceguard.add_tallies(
	p_now timestamptz, p_bucket_us bigint, p_tenant text[], p_tool text[], p_kind text[], p_code text[], p_count bigint[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
	bucket timestamptz := onceguard.later(to_timestamp(0), (extract(epoch FROM moment) * 1000000)::bigint / p_bucket_us * p_bucket_us);
BEGIN
	INSERT INTO onceguard.tallies AS t
	SELECT tenant, bucket, tool, kind, code, count
	FROM unnest(p_tenant, p_tool, p_kind, p_code, p_count) AS a (tenant, tool, kind, code, count)
	ON CONFLICT (tenant, start, tool, kind, code) DO UPDATE SET count = t.count + excluded.count;
END $$;

-- Tells the stores that listen what has changed. Nobody waits for the disk on account of a hint.
CREATE FUNCTION onceguard.wake(p_messages text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM set_config('synchronous_commit', 'off', TRUE);
	PERFORM pg_notify('onceguard', m) FROM unnest(p_messages) AS m;
END $$;
