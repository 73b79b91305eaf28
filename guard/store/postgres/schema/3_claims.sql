-- oldest: 1
-- A claim is one statement. Its functions are PL/pgSQL and VOLATILE for a reason: under READ COMMITTED each statement inside
-- of them has a snapshot of its own. What a claim compares is read by a statement that begins when the locks of the one before
-- are held, and so sees all that a rival wrote before it gave them back. A plain statement would keep the
-- snapshot from before it waited. The locks are of the transaction, that is, of the one statement: they end with it.

-- Takes the locks of a claim and returns the highest number of an edition. p_locks is sorted, so that no two claims wait for each
-- other. The book is locked in common: an edition is added between claims, never during one.
CREATE FUNCTION onceguard.enter(p_locks bigint[]) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'claims are sound under READ COMMITTED only: reset default_transaction_isolation'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM pg_advisory_xact_lock_shared(1330529125, 1); -- "Once"
	IF p_locks <> '{}' THEN
		PERFORM pg_advisory_xact_lock(l) FROM unnest(p_locks) AS l;
	END IF;
	RETURN (SELECT coalesce(max(number), 0) FROM onceguard.editions);
END $$;

-- Looks for another effect that stands in the way of a claim, in the order of guard.Store. A digest that is NULL is not
-- compared. relation is NULL where there is none.
CREATE FUNCTION onceguard.rival(
	p_now timestamptz, p_tenant text, p_key bytea, p_aliases bytea[],
	p_caller_key bytea, p_wide bytea, p_identity bytea, p_near bytea, p_near_most bigint, p_seen_ids text[], p_seen_fences bigint[],
	OUT relation text, OUT standing bigint
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
	IF p_caller_key IS NOT NULL THEN
		SELECT 'key_conflict', number INTO relation, standing FROM onceguard.effects
		WHERE caller_key = p_caller_key AND tenant = p_tenant AND key <> p_key AND key <> ALL (p_aliases)
			AND state NOT IN ('failed', 'refused') AND (state <> 'done' OR window_until > p_now)
		ORDER BY number DESC LIMIT 1;
		IF FOUND THEN RETURN; END IF;
	END IF;
	IF p_aliases <> '{}' THEN
		SELECT 'same', e.number INTO relation, standing
		FROM unnest(p_aliases) AS alias, LATERAL (
			SELECT * FROM onceguard.effects WHERE key = alias ORDER BY generation DESC LIMIT 1
		) AS e
		WHERE alias <> p_key AND CASE e.state
			WHEN 'failed' THEN e.review = 'contradiction'
			WHEN 'done' THEN e.window_until > greatest(p_now, e.updated)
			WHEN 'refused' THEN coalesce(e.window_until > greatest(p_now, e.updated), FALSE) -- by no person: without a window
			ELSE TRUE
		END
		ORDER BY e.number DESC LIMIT 1;
		IF FOUND THEN RETURN; END IF;
	END IF;
	IF p_wide IS NOT NULL THEN
		SELECT 'other_scope', number INTO relation, standing FROM onceguard.effects
		WHERE wide = p_wide AND tenant = p_tenant AND key <> p_key AND key <> ALL (p_aliases)
			AND state NOT IN ('failed', 'refused') AND (state <> 'done' OR window_until > p_now)
		ORDER BY number DESC LIMIT 1;
		IF FOUND THEN RETURN; END IF;
	END IF;
	IF p_identity IS NOT NULL THEN
		SELECT 'same_identity', number INTO relation, standing FROM onceguard.effects
		WHERE identity = p_identity AND tenant = p_tenant AND key <> p_key AND key <> ALL (p_aliases)
			AND state NOT IN ('failed', 'refused') AND (state <> 'done' OR window_until > p_now)
		ORDER BY number DESC LIMIT 1;
		IF FOUND THEN RETURN; END IF;
	END IF;
	IF p_near IS NOT NULL THEN
		SELECT 'near', e.number INTO relation, standing
		FROM (
			SELECT number, id, fence, key FROM onceguard.effects
			WHERE near = p_near AND tenant = p_tenant AND key <> p_key
				AND state <> 'failed' AND state <> 'refused' AND coalesce(window_until, 'infinity') > p_now
			ORDER BY number DESC LIMIT p_near_most
		) AS e
		WHERE e.key <> ALL (p_aliases)
			AND NOT EXISTS (SELECT FROM unnest(p_seen_ids, p_seen_fences) AS s (id, fence) WHERE s.id = e.id AND s.fence = e.fence)
		ORDER BY e.number DESC LIMIT 1;
		IF FOUND THEN RETURN; END IF;
	END IF;
	relation := NULL;
END $$;

-- Decides whether a claim that compares or follows may be made now. It returns one row with verdict 'admitted', 'old_book',
-- 'not_found' or 'moved' (the effect that the program judged is no longer what it was: judge again); or the record
-- of what stands in the way, with the relation for a verdict.
--
-- p_prior_* is what the caller of the store has seen under the key (p_prior_id NULL for nothing), and p_judged the number of
-- events of the effect that the program has read and judged (0 for none).
CREATE FUNCTION onceguard.admit(
	p_now timestamptz, p_locks bigint[], p_book bigint, p_tenant text, p_key bytea, p_aliases bytea[],
	p_caller_key bytea, p_wide bytea, p_identity bytea, p_near bytea, p_near_most bigint, p_seen_ids text[], p_seen_fences bigint[],
	p_prior_id text, p_prior_state text, p_prior_fence bigint, p_judged bigint
) RETURNS TABLE (verdict text, now timestamptz, superseded text, found onceguard.records)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	newest   bigint := onceguard.enter(p_locks);
	moment   timestamptz := coalesce(p_now, clock_timestamp());
	standing bigint;
	seen     record;
BEGIN
	IF p_book < newest THEN
		RETURN QUERY SELECT 'old_book', moment, NULL::text, NULL::onceguard.records;
		RETURN;
	END IF;
	SELECT r.relation, r.standing INTO verdict, standing FROM onceguard.rival(
		moment, p_tenant, p_key, p_aliases, p_caller_key, p_wide, p_identity, p_near, p_near_most, p_seen_ids, p_seen_fences) AS r;
	IF standing IS NULL AND p_prior_id IS NULL THEN
		RETURN QUERY SELECT 'admitted', moment, NULL::text, NULL::onceguard.records;
		RETURN;
	END IF;
	IF standing IS NULL THEN
		SELECT * INTO seen FROM onceguard.effects AS e WHERE e.key = p_key ORDER BY e.generation DESC LIMIT 1;
		verdict := CASE
			WHEN NOT FOUND THEN 'not_found'
			WHEN seen.tenant <> p_tenant OR seen.id <> p_prior_id OR seen.state <> p_prior_state OR seen.fence <> p_prior_fence THEN 'same'
			WHEN seen.events <> p_judged THEN 'moved'
			ELSE 'admitted'
		END;
		IF verdict <> 'same' THEN
			RETURN QUERY SELECT verdict, moment, NULL::text, NULL::onceguard.records;
			RETURN;
		END IF;
		standing := seen.number;
	END IF;
	RETURN QUERY SELECT verdict, greatest(moment, r.updated),
		CASE WHEN verdict = 'same' THEN onceguard.superseder(r.state, r.resource, r.since, r.tenant, r.key) END, r
	FROM onceguard.records AS r WHERE r.number = standing;
END $$;

-- Begins effects, each with its first event, unless its generation or its id exists. Each parameter but the first two
-- has one element for each effect, sorted by key, so that two statements wait for each other in one order only.
--
-- Of those that were made it returns verdict 'made' with the number and the time; of the others 'old_book', 'same' with the record of
-- the latest generation under the key, or 'same_id' when there is none.
CREATE FUNCTION onceguard.begin(
	p_admitted boolean, p_now timestamptz,
	p_book bigint[], p_id text[], p_tenant text[], p_subject text[], p_agent text[], p_run text[], p_call_id text[],
	p_tool text[], p_type text[], p_execute text[], p_key bytea[], p_generation bigint[],
	p_wide bytea[], p_identity bytea[], p_near bytea[], p_resource bytea[], p_caller_key bytea[],
	p_state text[], p_code text[], p_reason text[], p_claim text[], p_review text[], p_policy text[],
	p_window_ns bigint[], p_lasts_us bigint[],
	p_kind text[], p_actor_kind text[], p_actor_name text[], p_has_arguments boolean[], p_arguments bytea[], p_content bytea[]
) RETURNS TABLE (ord bigint, verdict text, now timestamptz, superseded text, number bigint, found onceguard.records)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	newest  bigint;
	moment  timestamptz;
	zero    bytea := decode(repeat('00', 32), 'hex'); -- the hash before the first event
	numbers bigint[];                                 -- one for each effect that is asked for
	made    bigint[];                                 -- of those that were made
	all_made boolean;
BEGIN
	IF NOT p_admitted THEN
		RETURN;
	END IF;
	newest := onceguard.enter('{}');
	moment := coalesce(p_now, clock_timestamp());
	numbers := ARRAY(SELECT nextval('onceguard.effects_number_seq') FROM generate_subscripts(p_id, 1));
	WITH begun AS (
		INSERT INTO onceguard.effects (
			number, id, tenant, subject, agent, run, call_id, tool, type, execute, key, generation,
			wide, identity, near, resource, caller_key, state, code, reason,
			fence, claim, attempts, failures, review, policy, window_ns, created, updated, since,
			due, events, head, arguments_seq)
		SELECT
			number, id, tenant, subject, agent, run, call_id, tool, type, execute, key, generation,
			wide, identity, near, resource, caller_key, state, code, reason,
			1, claim, CASE state WHEN 'pending' THEN 1 ELSE 0 END, 0, review, policy, window_ns, moment, moment, moment,
			moment + lasts_us * interval '1 microsecond', 1, onceguard.seal(zero, 1, moment, content),
			CASE WHEN has_arguments THEN 1 END
		FROM (
			SELECT unnest(numbers) AS number, unnest(p_book) AS book, unnest(p_id) AS id, unnest(p_tenant) AS tenant,
			unnest(p_subject) AS subject, unnest(p_agent) AS agent, unnest(p_run) AS run, unnest(p_call_id) AS call_id,
			unnest(p_tool) AS tool, unnest(p_type) AS type, unnest(p_execute) AS execute, unnest(p_key) AS key,
			unnest(p_generation) AS generation, unnest(p_wide) AS wide, unnest(p_identity) AS identity,
			unnest(p_near) AS near, unnest(p_resource) AS resource, unnest(p_caller_key) AS caller_key,
			unnest(p_state) AS state, unnest(p_code) AS code, unnest(p_reason) AS reason, unnest(p_claim) AS claim,
			unnest(p_review) AS review, unnest(p_policy) AS policy, unnest(p_window_ns) AS window_ns,
			unnest(p_lasts_us) AS lasts_us, unnest(p_has_arguments) AS has_arguments, unnest(p_content) AS content
		) AS a
		WHERE book >= newest
		ON CONFLICT DO NOTHING
		RETURNING number
	)
	SELECT array_agg(number) INTO made FROM begun;
	all_made := coalesce(array_length(made, 1), 0) = array_length(p_id, 1);
	INSERT INTO onceguard.events (
		effect, seq, at, kind, from_state, to_state, fence, actor_kind, actor_name, code, note, claim, count, arguments, hash)
	SELECT number, 1, moment, kind, '', state, 1, actor_kind, actor_name, code, reason, claim, 0, arguments,
		onceguard.seal(zero, 1, moment, content)
	FROM (
			SELECT unnest(numbers) AS number, unnest(p_kind) AS kind, unnest(p_state) AS state, unnest(p_actor_kind) AS actor_kind,
			unnest(p_actor_name) AS actor_name, unnest(p_code) AS code, unnest(p_reason) AS reason, unnest(p_claim) AS claim,
			unnest(p_arguments) AS arguments, unnest(p_content) AS content
		) AS a
	WHERE all_made OR number = ANY (made);

	RETURN QUERY SELECT m.ord, 'made', moment, NULL::text, m.number, NULL::onceguard.records
		FROM unnest(numbers) WITH ORDINALITY AS m (number, ord) WHERE all_made OR m.number = ANY (made);
	IF all_made THEN
		RETURN;
	END IF;
	RETURN QUERY
		SELECT a.ord,
			CASE WHEN a.book < newest THEN 'old_book' WHEN r.number IS NULL THEN 'same_id' ELSE 'same' END,
			greatest(moment, r.updated), onceguard.superseder(r.state, r.resource, r.since, r.tenant, r.key), NULL::bigint, r
		FROM unnest(numbers, p_book, p_key) WITH ORDINALITY AS a (number, book, key, ord)
		LEFT JOIN LATERAL (
			SELECT e.number FROM onceguard.effects AS e WHERE e.key = a.key ORDER BY e.generation DESC LIMIT 1
		) AS latest ON a.book >= newest
		LEFT JOIN onceguard.records AS r ON r.number = latest.number
		WHERE made IS NULL OR a.number <> ALL (made);
END $$;
