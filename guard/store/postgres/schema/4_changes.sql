-- oldest: 1
-- Takes effects on, each by one event, if they still have as many events as when the program read them, if the time is
-- before p_before and if time still ends the state at p_was_due, where these are set: a lease is renewed without an event. Each
-- parameter but the first three has one element for each effect, sorted by its number, so that two statements wait for each other in one order only.
--
-- The times until which the new state lasts are relative to the time of the change; with p_keeps they stay as they are.
-- It returns the place and the times of each effect that was changed. With p_all it changes all or, with an error, none.
CREATE FUNCTION onceguard.change(
	p_admitted boolean, p_now timestamptz, p_all boolean,
	p_number bigint[], p_events bigint[], p_before timestamptz[], p_was_due timestamptz[],
	p_subject text[], p_agent text[], p_run text[], p_call_id text[], p_execute text[],
	p_state text[], p_code text[], p_reason text[], p_fence bigint[], p_claim text[], p_attempts bigint[], p_failures bigint[],
	p_review text[], p_policy text[], p_window_ns bigint[],
	p_keeps boolean[], p_due_us bigint[], p_window_us bigint[], p_arguments_seq bigint[], p_result_seq bigint[],
	p_kind text[], p_from_state text[], p_actor_kind text[], p_actor_name text[], p_event_code text[], p_note text[],
	p_event_claim text[], p_count bigint[], p_arguments bytea[],
	p_source text[], p_status bigint[], p_content_type text[], p_is_error boolean[], p_body bytea[], p_content bytea[]
) RETURNS TABLE (ord bigint, number bigint, at timestamptz, due timestamptz, window_until timestamptz)
LANGUAGE plpgsql VOLATILE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	moment  timestamptz := coalesce(p_now, clock_timestamp());
	changed bigint;
BEGIN
	IF NOT p_admitted THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH changed AS (
		UPDATE onceguard.effects AS e SET
			subject = c.subject, agent = c.agent, run = c.run, call_id = c.call_id, execute = c.execute,
			state = c.state, code = c.code, reason = c.reason, fence = c.fence, claim = c.claim,
			attempts = c.attempts, failures = c.failures, review = c.review, policy = c.policy, window_ns = c.window_ns,
			updated = greatest(moment, e.updated),
			since = CASE WHEN c.kind = 'noted' THEN e.since ELSE greatest(moment, e.updated) END,
			due = CASE WHEN c.keeps THEN e.due ELSE onceguard.later(greatest(moment, e.updated), c.due_us) END,
			window_until = CASE WHEN c.keeps THEN e.window_until ELSE onceguard.later(greatest(moment, e.updated), c.window_us) END,
			events = e.events + 1, head = onceguard.seal(e.head, e.events + 1, greatest(moment, e.updated), c.content),
			arguments_seq = c.arguments_seq, result_seq = c.result_seq,
			bodies = e.bodies OR c.arguments IS NOT NULL OR c.body IS NOT NULL
		FROM (
			SELECT unnest(p_number) AS number, unnest(p_events) AS events, unnest(p_before) AS before, unnest(p_was_due) AS was_due,
			unnest(p_subject) AS subject, unnest(p_agent) AS agent, unnest(p_run) AS run, unnest(p_call_id) AS call_id,
			unnest(p_execute) AS execute, unnest(p_state) AS state, unnest(p_code) AS code, unnest(p_reason) AS reason,
			unnest(p_fence) AS fence, unnest(p_claim) AS claim, unnest(p_attempts) AS attempts,
			unnest(p_failures) AS failures, unnest(p_review) AS review, unnest(p_policy) AS policy,
			unnest(p_window_ns) AS window_ns, unnest(p_keeps) AS keeps, unnest(p_due_us) AS due_us,
			unnest(p_window_us) AS window_us, unnest(p_arguments_seq) AS arguments_seq, unnest(p_result_seq) AS result_seq,
			unnest(p_kind) AS kind, unnest(p_from_state) AS from_state, unnest(p_actor_kind) AS actor_kind,
			unnest(p_actor_name) AS actor_name, unnest(p_event_code) AS event_code, unnest(p_note) AS note,
			unnest(p_event_claim) AS event_claim, unnest(p_count) AS count, unnest(p_arguments) AS arguments,
			unnest(p_source) AS source, unnest(p_status) AS status, unnest(p_content_type) AS content_type,
			unnest(p_is_error) AS is_error, unnest(p_body) AS body, unnest(p_content) AS content,
			generate_subscripts(p_number, 1)::bigint AS ord
		) AS c
		WHERE e.number = c.number AND e.events = c.events
			AND (c.before IS NULL OR greatest(moment, e.updated) < c.before) AND (c.was_due IS NULL OR e.due = c.was_due)
		RETURNING c.*, e.events AS seq, e.updated AS at, e.due, e.window_until, e.since, e.head
	), recorded AS (
		INSERT INTO onceguard.events
		SELECT number, seq, at, kind, from_state, state, fence, actor_kind, actor_name, event_code, note, event_claim, count,
			arguments, source, status, content_type, is_error, body, head
		FROM changed
	), noticed AS (
		INSERT INTO onceguard.due
		SELECT due, number, CASE WHEN state = 'approved' AND execute = 'guard' THEN since END FROM changed WHERE due_us IS NOT NULL
		ON CONFLICT (at, number) DO UPDATE SET unsent = excluded.unsent
	)
	SELECT ord, number, at, due, window_until FROM changed;
	GET DIAGNOSTICS changed = ROW_COUNT;
	IF p_all AND changed <> array_length(p_number, 1) THEN
		RAISE EXCEPTION 'an effect has changed since it was read' USING ERRCODE = 'OG001';
	END IF;
END $$;

-- The same for outcomes of attempts, which are most of all changes and touch less of the effect.
CREATE FUNCTION onceguard.settle(
	p_now timestamptz, p_number bigint[], p_events bigint[],
	p_state text[], p_code text[], p_reason text[], p_failures bigint[], p_review text[], p_window_us bigint[],
	p_from_state text[], p_actor_kind text[], p_actor_name text[],
	p_source text[], p_status bigint[], p_content_type text[], p_is_error boolean[], p_body bytea[], p_content bytea[]
) RETURNS TABLE (ord bigint, at timestamptz, window_until timestamptz)
LANGUAGE plpgsql VOLATILE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
BEGIN
	RETURN QUERY
	WITH changed AS (
		UPDATE onceguard.effects AS e SET
			state = c.state, code = c.code, reason = c.reason, failures = c.failures, review = c.review,
			updated = greatest(moment, e.updated), since = greatest(moment, e.updated),
			due = NULL, window_until = onceguard.later(greatest(moment, e.updated), c.window_us),
			events = e.events + 1, head = onceguard.seal(e.head, e.events + 1, greatest(moment, e.updated), c.content),
			result_seq = CASE WHEN c.source IS NOT NULL THEN e.events + 1 END, bodies = e.bodies OR c.body IS NOT NULL
		FROM (
			SELECT unnest(p_number) AS number, unnest(p_events) AS events,
			unnest(p_state) AS state, unnest(p_code) AS code, unnest(p_reason) AS reason, unnest(p_failures) AS failures,
			unnest(p_review) AS review, unnest(p_window_us) AS window_us, unnest(p_from_state) AS from_state,
			unnest(p_actor_kind) AS actor_kind, unnest(p_actor_name) AS actor_name, unnest(p_source) AS source,
			unnest(p_status) AS status, unnest(p_content_type) AS content_type, unnest(p_is_error) AS is_error,
			unnest(p_body) AS body, unnest(p_content) AS content,
			generate_subscripts(p_number, 1)::bigint AS ord
		) AS c
		WHERE e.number = c.number AND e.events = c.events
		RETURNING c.*, e.events AS seq, e.updated AS at, e.fence, e.claim, e.window_until, e.head
	), recorded AS (
		INSERT INTO onceguard.events
		SELECT number, seq, at, 'settled', from_state, state, fence, actor_kind, actor_name, code, reason, claim, 0,
			NULL, source, status, content_type, is_error, body, head
		FROM changed
	)
	SELECT ord, at, window_until FROM changed;
END $$;

-- Renews the lease of a pending claim to p_ttl_us from now, and never shortens it. It returns no row where there is none to
-- renew.
CREATE FUNCTION onceguard.extend(p_now timestamptz, p_id text, p_fence bigint, p_ttl_us bigint)
RETURNS TABLE (until timestamptz) LANGUAGE plpgsql VOLATILE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
BEGIN
	RETURN QUERY
	WITH renewed AS (
		UPDATE onceguard.effects AS e
		SET due = greatest(e.due, onceguard.later(greatest(moment, e.updated), p_ttl_us))
		WHERE e.id = p_id AND e.state = 'pending' AND e.fence = p_fence AND greatest(moment, e.updated) < e.due
		RETURNING e.due, e.number
	), noticed AS (
		INSERT INTO onceguard.due (at, number) SELECT due, number FROM renewed ON CONFLICT DO NOTHING
	)
	SELECT due FROM renewed;
END $$;

-- Takes away what the table due says about effects that are no longer due then, at most p_limit and the oldest first.
CREATE FUNCTION onceguard.forget_due(p_now timestamptz, p_limit bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	forgotten bigint;
BEGIN
	WITH old AS (
		SELECT d.at, d.number FROM onceguard.due AS d
		WHERE d.at <= coalesce(p_now, clock_timestamp())
			AND NOT EXISTS (SELECT FROM onceguard.effects AS e WHERE e.number = d.number AND e.due = d.at)
		ORDER BY d.at, d.number LIMIT p_limit FOR UPDATE SKIP LOCKED
	)
	DELETE FROM onceguard.due AS d USING old WHERE d.at = old.at AND d.number = old.number;
	GET DIAGNOSTICS forgotten = ROW_COUNT;
	RETURN forgotten;
END $$;

-- Appends an entry to the book and returns its number and its time; those of the equal edition, if there is one; no row when p_onto is not
-- the latest of its kind and name. It waits for the claims under way and keeps new ones waiting, so that each claim is made
-- before the entry or knows of it.
CREATE FUNCTION onceguard.enter(
	p_now timestamptz, p_kind text, p_name text, p_text bytea, p_author text, p_reason text, p_onto bigint
) RETURNS SETOF onceguard.book LANGUAGE plpgsql VOLATILE ROWS 10 AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(1330529125, 1);
	IF p_kind = 'edition' THEN
		RETURN QUERY SELECT * FROM onceguard.book AS b
			WHERE b.kind = 'edition' AND md5(b.name) = md5(p_name) AND sha256(b.text) = sha256(p_text);
		IF FOUND THEN
			RETURN;
		END IF;
	ELSIF p_onto <> coalesce((
		SELECT b.number FROM onceguard.book AS b WHERE b.kind = p_kind AND md5(b.name) = md5(p_name) ORDER BY b.number DESC LIMIT 1), 0) THEN
		RETURN;
	END IF;
	RETURN QUERY
	INSERT INTO onceguard.book
	SELECT coalesce(max(b.number), 0) + 1, p_kind, p_name, p_text, p_author, p_reason,
		greatest(coalesce(p_now, clock_timestamp()), max(b.at)), p_onto
	FROM onceguard.book AS b
	RETURNING *;
END $$;
