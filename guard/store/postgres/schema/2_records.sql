-- oldest: 1
-- A record is an effect's row with the events that stand behind it: its last one and those that brought its arguments
-- and its result, one to three rows, each with the hash of the event before, by which it is verified.
CREATE VIEW onceguard.records AS
SELECT e.*,
	v.seq, v.at, v.kind, v.from_state, v.to_state, v.fence AS event_fence, v.actor_kind, v.actor_name,
	v.code AS event_code, v.note, v.claim AS event_claim, v.count,
	v.arguments, v.source, v.status, v.content_type, v.is_error, v.body, v.hash, v.arguments_hash, v.body_hash, b.hash AS before
FROM onceguard.effects e
LEFT JOIN onceguard.events v ON v.effect = e.number AND v.seq = ANY (ARRAY[e.events, e.arguments_seq, e.result_seq])
LEFT JOIN onceguard.events b ON b.effect = v.effect AND b.seq = v.seq - 1;

-- The latest effect under another key that was done on the same resource after this one was done.
CREATE FUNCTION onceguard.superseder(p_state text, p_resource bytea, p_since timestamptz, p_tenant text, p_key bytea)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF p_state <> 'done' OR p_resource IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN (
		SELECT e.id FROM onceguard.finished AS f JOIN onceguard.effects AS e ON e.number = f.number
		WHERE f.resource = p_resource AND f.since > p_since AND e.tenant = p_tenant AND e.key <> p_key
		ORDER BY f.since DESC, f.number DESC LIMIT 1
	);
END $$;

-- The hash of an event, as guard.Event.SealWith has it: the database assigns the time, the program hashed all else.
CREATE FUNCTION onceguard.seal(p_before bytea, p_seq bigint, p_at timestamptz, p_content bytea)
RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256(p_before || int8send(p_seq) || int8send((extract(epoch FROM p_at) * 1000000)::bigint) || p_content)
$$;

-- The latest generation under a key, what superseded it, and whether this server may be behind another one. The plan of a function
-- is made once in a session; the statement of a program that keeps none of its own would be planned each time.
CREATE FUNCTION onceguard.lookup(p_now timestamptz, p_key bytea)
RETURNS TABLE (now timestamptz, standby boolean, superseded text, found onceguard.records) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	RETURN QUERY
	SELECT coalesce(p_now, clock_timestamp()), pg_is_in_recovery(),
		onceguard.superseder(r.state, r.resource, r.since, r.tenant, r.key), r
	FROM onceguard.records AS r
	WHERE r.number = (SELECT number FROM onceguard.effects WHERE key = p_key ORDER BY generation DESC LIMIT 1);
END $$;

-- The effects that have one of these ids.
CREATE FUNCTION onceguard.find(p_now timestamptz, p_ids text[])
RETURNS TABLE (now timestamptz, found onceguard.records) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	RETURN QUERY SELECT coalesce(p_now, clock_timestamp()), r FROM onceguard.records AS r WHERE r.id = ANY (p_ids) ORDER BY r.number;
END $$;

-- What time has decided, the longest ago first. Here and below, OFFSET 0 keeps a subquery from being joined in another order: to walk
-- through all effects until enough of them match would seem cheap, and is not.
CREATE FUNCTION onceguard.find_due(p_now timestamptz, p_limit bigint)
RETURNS TABLE (now timestamptz, found onceguard.records) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
BEGIN
	RETURN QUERY
	SELECT moment, r
	FROM (
		SELECT e.number, e.due FROM (
			SELECT * FROM onceguard.due WHERE at <= moment ORDER BY at, number OFFSET 0
		) AS d
		JOIN onceguard.effects AS e ON e.number = d.number AND e.due = d.at
		ORDER BY d.at, d.number LIMIT p_limit
	) AS d
	JOIN onceguard.records AS r ON r.number = d.number
	ORDER BY d.due, d.number;
END $$;

-- Approved effects that the guard was to send and that nobody claimed for p_age_us, the oldest first.
CREATE FUNCTION onceguard.find_unsent(p_now timestamptz, p_age_us bigint, p_limit bigint)
RETURNS TABLE (now timestamptz, found onceguard.records) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
BEGIN
	RETURN QUERY
	SELECT moment, r
	FROM (
		SELECT e.number, e.since FROM (
			SELECT * FROM onceguard.due WHERE unsent <= onceguard.later(moment, -p_age_us) ORDER BY unsent, number OFFSET 0
		) AS d
		JOIN onceguard.effects AS e ON e.number = d.number AND e.since = d.unsent AND e.state = 'approved' AND e.execute = 'guard'
		ORDER BY d.unsent, d.number LIMIT p_limit
	) AS u
	JOIN onceguard.records AS r ON r.number = u.number
	ORDER BY u.since, u.number;
END $$;

-- The newest p_limit effects that relate to a call as p_relation says and still answer, under other keys than p_key.
CREATE FUNCTION onceguard.related(
	p_now timestamptz, p_tenant text, p_relation text, p_digest bytea, p_key bytea, p_limit bigint
) RETURNS SETOF onceguard.effects LANGUAGE plpgsql STABLE ROWS 10 AS $$
DECLARE
	common bytea := substr(p_key, 1, 16); -- of the keys of equal calls in all scopes
BEGIN
	IF p_relation = 'other_scope' THEN
		RETURN QUERY
		SELECT e.* FROM (
			(SELECT * FROM onceguard.effects WHERE key >= common AND key < p_key OFFSET 0)
			UNION ALL
			(SELECT * FROM onceguard.effects WHERE key > p_key AND key <= common || '\xffffffffffffffffffffffffffffffff'::bytea OFFSET 0)
		) AS e
		WHERE e.tenant = p_tenant AND onceguard.answers_until(e.state, e.window_until) > p_now
		ORDER BY e.number DESC LIMIT p_limit;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT e.* FROM (
		SELECT a.number FROM onceguard.answering AS a WHERE a.digest = p_digest AND a.until > p_now ORDER BY a.number DESC OFFSET 0
	) AS a
	JOIN onceguard.effects AS e ON e.number = a.number
	WHERE e.tenant = p_tenant AND e.key <> p_key AND CASE p_relation WHEN 'near' THEN e.near ELSE e.identity END = p_digest
	ORDER BY a.number DESC LIMIT p_limit;
END $$;

-- The same with all that stands behind each.
CREATE FUNCTION onceguard.find_related(
	p_now timestamptz, p_tenant text, p_relation text, p_digest bytea, p_key bytea, p_limit bigint
) RETURNS TABLE (now timestamptz, found onceguard.records) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
	moment timestamptz := coalesce(p_now, clock_timestamp());
BEGIN
	RETURN QUERY
	SELECT moment, r
	FROM onceguard.related(moment, p_tenant, p_relation, p_digest, p_key, p_limit) AS n
	JOIN onceguard.records AS r ON r.number = n.number
	ORDER BY n.number DESC;
END $$;

-- An effect's row and all its events, as they were at one moment.
CREATE FUNCTION onceguard.history(p_id text)
RETURNS TABLE (effect onceguard.effects, event onceguard.events) LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	RETURN QUERY
	SELECT e, v FROM onceguard.effects AS e LEFT JOIN onceguard.events AS v ON v.effect = e.number
	WHERE e.id = p_id ORDER BY v.seq;
END $$;

-- A page of a tenant's effects, newest first. An empty filter matches all. Without sorting, the rows are read from the index
-- in their order and no further than the page. In the collation "C" only ASCII letters have another case.
CREATE FUNCTION onceguard.page(
	p_tenant text, p_before_created timestamptz, p_before bigint, p_from timestamptz, p_until timestamptz,
	p_subject text, p_tool text, p_run text, p_agent text, p_execute text, p_text text, p_states text[], p_limit bigint
) RETURNS SETOF onceguard.effects LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
	RETURN QUERY
	SELECT * FROM onceguard.effects AS e
	WHERE e.tenant = p_tenant
		AND (e.created, e.number) < (p_before_created, p_before) AND e.created >= p_from AND e.created < p_until
		AND (p_subject = '' OR e.subject = p_subject)
		AND (p_tool = '' OR e.tool = p_tool)
		AND (p_run = '' OR e.run = p_run)
		AND (p_agent = '' OR e.agent = p_agent)
		AND (p_execute = '' OR e.execute = p_execute)
		AND (p_text = '' OR strpos(lower(e.about COLLATE "C"), lower(p_text COLLATE "C")) > 0)
		AND (p_states = '{}' OR e.state = ANY (p_states))
	ORDER BY e.created DESC, e.number DESC LIMIT p_limit;
END $$;

-- The same of effects with an open review.
CREATE FUNCTION onceguard.page_in_review(
	p_tenant text, p_before_created timestamptz, p_before bigint, p_from timestamptz, p_until timestamptz,
	p_subject text, p_tool text, p_run text, p_agent text, p_execute text, p_text text, p_states text[], p_limit bigint
) RETURNS SETOF onceguard.effects LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
	RETURN QUERY
	SELECT * FROM onceguard.effects AS e
	WHERE e.tenant = p_tenant
		AND e.review <> ''
		AND (e.created, e.number) < (p_before_created, p_before) AND e.created >= p_from AND e.created < p_until
		AND (p_subject = '' OR e.subject = p_subject)
		AND (p_tool = '' OR e.tool = p_tool)
		AND (p_run = '' OR e.run = p_run)
		AND (p_agent = '' OR e.agent = p_agent)
		AND (p_execute = '' OR e.execute = p_execute)
		AND (p_text = '' OR strpos(lower(e.about COLLATE "C"), lower(p_text COLLATE "C")) > 0)
		AND (p_states = '{}' OR e.state = ANY (p_states))
	ORDER BY e.created DESC, e.number DESC LIMIT p_limit;
END $$;

-- Effects of all tenants in the order of their creation.
CREATE FUNCTION onceguard.walk(p_after bigint, p_limit bigint) RETURNS SETOF onceguard.effects LANGUAGE plpgsql STABLE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
	RETURN QUERY SELECT * FROM onceguard.effects AS e WHERE e.number > p_after ORDER BY e.number LIMIT p_limit;
END $$;
