-- oldest: 1
-- A claim is one statement. Its functions are PL/pgSQL and VOLATILE for a reason: under READ COMMITTED each statement inside
-- of them has a snapshot of its own. What a claim compares is read by a statement that begins when the locks of the one before
-- are held, and so sees all that a rival wrote before it gave them back. A plain statement would keep the
-- snapshot from before it waited. The locks are of the transaction, that is, of the one statement: they end with it.

-- Takes the locks of a claim and returns the highest number of the book. p_locks is sorted, so that no two claims wait for each
-- other. The book is locked in common: an entry is made between claims, never during one.
CREATE FUNCTION onceguard.take_locks(p_locks bigint[]) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'claims are sound under READ COMMITTED only: reset default_transaction_isolation'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM pg_advisory_xact_lock_shared(1330529125, 1); -- "Once"
	IF p_locks <> '{}' THEN
		PERFORM pg_advisory_xact_lock(l) FROM unnest(p_locks) AS l;
	END IF;
	RETURN (SELECT coalesce(max(number), 0) FROM onceguard.book);
END $$;

-- Looks for another effect that stands in the way of a claim, in the order of guard.Store. A digest that is NULL is not
-- compared. relation is NULL where there is none.
CREATE FUNCTION onceguard.rival(
	p_now timestamptz, p_tenant text, p_key bytea, p_aliases bytea[],
	p_caller_key bytea, p_scope boolean, p_identity bytea, p_near bytea, p_most bigint, p_seen_ids text[], p_seen_fences bigint[],
	OUT relation text, OUT standing bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	digest bytea;
BEGIN
	IF p_caller_key IS NOT NULL THEN
		SELECT number INTO standing FROM onceguard.effects AS e
		WHERE caller_key = p_caller_key AND tenant = p_tenant AND key <> p_key AND key <> ALL (p_aliases)
			AND onceguard.answers_until(e.state, e.window_until) > p_now
		ORDER BY number DESC LIMIT 1;
		IF FOUND THEN
			relation := 'key_conflict';
			RETURN;
		END IF;
	END IF;
	IF p_aliases <> '{}' THEN
		SELECT e.number INTO standing
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
		IF FOUND THEN
			relation := 'same';
			RETURN;
		END IF;
	END IF;
	FOREACH relation IN ARRAY ARRAY['other_scope', 'same_identity', 'near'] LOOP
		digest := CASE relation WHEN 'same_identity' THEN p_identity WHEN 'near' THEN p_near ELSE CASE WHEN p_scope THEN p_key END END;
		CONTINUE WHEN digest IS NULL;
		SELECT e.number INTO standing FROM onceguard.related(p_now, p_tenant, relation, digest, p_key, p_most) AS e
		WHERE e.key <> ALL (p_aliases)
			AND NOT EXISTS (SELECT FROM unnest(p_seen_ids, p_seen_fences) AS s (id, fence) WHERE s.id = e.id AND s.fence = e.fence)
		ORDER BY e.number DESC LIMIT 1;
		IF FOUND THEN
			RETURN;
		END IF;
	END LOOP;
	relation := NULL;
END $$;

-- Finds the first limit that has no room for what a claim would use beside other effects; none: full_limit is NULL.
CREATE FUNCTION onceguard.fill(
	p_now timestamptz, p_number bigint, p_key bytea[], p_amount bigint[], p_max bigint[], p_period_us bigint[],
	OUT full_limit bigint, OUT room bigint
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	used numeric;
BEGIN
	FOR i IN 1 .. array_length(p_key, 1) LOOP
		SELECT coalesce(sum(u.amount), 0) INTO used FROM onceguard.uses AS u
		WHERE u.key = p_key[i] AND u.at > onceguard.later(p_now, -p_period_us[i]) AND NOT u.given_back
			AND u.number IS DISTINCT FROM p_number;
		IF used + p_amount[i] > p_max[i] THEN
			full_limit := i - 1;
			room := greatest(p_max[i] - used, 0);
			RETURN;
		END IF;
	END LOOP;
END $$;

-- Decides whether claims that compare, follow or are limited may be made now. Of each it returns one row with the verdict 'admitted',
-- 'old_book', 'not_found', 'moved' (the effect that the program judged is no longer what it was: judge again) or 'limit';
-- or the record of what stands in the way, with the relation for a verdict. No two of the claims may have a lock in common.
--
-- The parameters from p_book to p_again have one element for each claim. p_prior_* is what the caller of the store has seen
-- under the key (p_prior_id NULL for nothing), and p_judged the number of events of the effect that the program has
-- read and judged (0 for none). Of the others, *_of names the claim that an element is about.
CREATE FUNCTION onceguard.weigh(
	p_now timestamptz, p_locks bigint[], p_most bigint,
	p_book bigint[], p_tenant text[], p_key bytea[], p_caller_key bytea[], p_scope boolean[], p_identity bytea[], p_near bytea[],
	p_prior_id text[], p_prior_state text[], p_prior_fence bigint[], p_judged bigint[], p_again boolean[],
	p_alias_of bigint[], p_alias bytea[], p_seen_of bigint[], p_seen_id text[], p_seen_fence bigint[],
	p_limit_of bigint[], p_limit_key bytea[], p_limit_amount bigint[], p_limit_max bigint[], p_limit_us bigint[]
) RETURNS TABLE (ord bigint, verdict text, now timestamptz, superseded text, full_limit bigint, room bigint, found onceguard.records)
LANGUAGE plpgsql VOLATILE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	newest   bigint := onceguard.take_locks(p_locks);
	moment   timestamptz := coalesce(p_now, clock_timestamp());
	standing bigint;
	prior    record;
BEGIN
	FOR i IN 1 .. array_length(p_key, 1) LOOP
		ord := i;
		now := moment;
		verdict := NULL;
		full_limit := NULL;
		room := NULL;
		IF p_book[i] < newest THEN
			verdict := 'old_book';
			RETURN NEXT;
			CONTINUE;
		END IF;
		SELECT r.relation, r.standing INTO verdict, standing FROM onceguard.rival(
			moment, p_tenant[i], p_key[i], ARRAY(SELECT alias FROM unnest(p_alias_of, p_alias) AS a (of, alias) WHERE a.of = i),
			p_caller_key[i], p_scope[i], p_identity[i], p_near[i], p_most,
			ARRAY(SELECT id FROM unnest(p_seen_of, p_seen_id) AS a (of, id) WHERE a.of = i),
			ARRAY(SELECT fence FROM unnest(p_seen_of, p_seen_fence) AS a (of, fence) WHERE a.of = i)) AS r;
		IF p_prior_id[i] IS NULL THEN
			SELECT * INTO prior FROM onceguard.effects AS e WHERE e.key = p_key[i] ORDER BY e.generation DESC LIMIT 1;
		ELSE
			-- Held, so that it is not forgotten before the generation after it is there: else another claim would find neither, and
			-- begin the first one anew beside it.
			SELECT * INTO prior FROM onceguard.effects AS e WHERE e.key = p_key[i] ORDER BY e.generation DESC LIMIT 1 FOR KEY SHARE;
		END IF;
		IF standing IS NULL THEN
			verdict := CASE
				WHEN prior.number IS NULL AND p_prior_id[i] IS NULL THEN 'admitted'
				WHEN prior.number IS NULL THEN 'not_found'
				WHEN p_prior_id[i] IS NULL OR prior.tenant <> p_tenant[i] OR prior.id <> p_prior_id[i]
					OR prior.state <> p_prior_state[i] OR prior.fence <> p_prior_fence[i] THEN 'same'
				WHEN prior.events <> p_judged[i] THEN 'moved'
				ELSE 'admitted'
			END;
			IF verdict = 'same' THEN
				standing := prior.number;
			END IF;
		END IF;
		IF verdict = 'admitted' AND i = ANY (p_limit_of) THEN
			SELECT f.full_limit, f.room INTO full_limit, room FROM (
				SELECT array_agg(key) AS keys, array_agg(amount) AS amounts, array_agg(most) AS mosts, array_agg(us) AS periods
				FROM unnest(p_limit_of, p_limit_key, p_limit_amount, p_limit_max, p_limit_us) AS a (of, key, amount, most, us) WHERE a.of = i
			) AS l, onceguard.fill(moment, CASE WHEN p_again[i] THEN prior.number END, l.keys, l.amounts, l.mosts, l.periods) AS f;
			IF full_limit IS NOT NULL THEN
				verdict := 'limit';
			END IF;
		END IF;
		IF standing IS NULL THEN
			RETURN NEXT;
			CONTINUE;
		END IF;
		RETURN QUERY SELECT i::bigint, verdict, greatest(moment, r.updated),
			CASE WHEN verdict = 'same' THEN onceguard.superseder(r.state, r.resource, r.since, r.tenant, r.key) END,
			NULL::bigint, NULL::bigint, r
		FROM onceguard.records AS r WHERE r.number = standing;
	END LOOP;
END $$;

-- Records what claims that were made use of their limits; p_ord says which claim each effect is of. An effect is counted once under
-- a key, as of its latest claim.
CREATE FUNCTION onceguard.use(
	p_number bigint[], p_at timestamptz[], p_ord bigint[], p_limit_of bigint[], p_limit_key bytea[], p_limit_amount bigint[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	INSERT INTO onceguard.uses (key, number, at, amount)
	SELECT DISTINCT l.key, n.number, n.at, l.amount
	FROM unnest(p_number, p_at, p_ord) AS n (number, at, ord)
	JOIN unnest(p_limit_of, p_limit_key, p_limit_amount) AS l (of, key, amount) ON l.of = n.ord
	ON CONFLICT (key, number) DO UPDATE SET at = excluded.at, amount = excluded.amount, given_back = FALSE;
	UPDATE onceguard.effects SET followed = TRUE WHERE number = ANY (p_number) AND NOT followed;
END $$;

-- Begins effects, each with its first event, unless its generation or its id exists. Each parameter from p_book has
-- one element for each effect, sorted by key, so that two statements wait for each other in one order only. Where p_admitted is
-- not NULL, only the effects at these places are begun, and nothing is said about the others.
--
-- Of those that were made it returns verdict 'made' with the number and the time; of the others 'old_book', 'same' with the record of
-- the latest generation under the key, or 'same_id' when there is none.
CREATE FUNCTION onceguard.begin(
	p_admitted bigint[], p_now timestamptz,
	p_book bigint[], p_id text[], p_tenant text[], p_subject text[], p_agent text[], p_run text[], p_call_id text[],
	p_tool text[], p_type text[], p_execute text[], p_about text[], p_related text[], p_key bytea[], p_generation bigint[],
	p_identity bytea[], p_near bytea[], p_resource bytea[], p_caller_key bytea[],
	p_state text[], p_code text[], p_reason text[], p_claim text[], p_review text[], p_policy text[],
	p_window_ns bigint[], p_lasts_us bigint[],
	p_kind text[], p_actor_kind text[], p_actor_name text[], p_arguments bytea[], p_content bytea[]
) RETURNS TABLE (ord bigint, verdict text, now timestamptz, superseded text, number bigint, found onceguard.records)
LANGUAGE plpgsql VOLATILE ROWS 10
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
	newest  bigint;
	moment  timestamptz;
	zero    bytea := '\x0000000000000000000000000000000000000000000000000000000000000000'; -- the hash before the first event
	numbers bigint[];                                                                      -- one for each effect that is asked for
	made    bigint[];                                                                      -- of those that were made
	asked   bigint;
BEGIN
	IF p_admitted = '{}' THEN
		RETURN;
	END IF;
	newest := onceguard.take_locks('{}');
	moment := coalesce(p_now, clock_timestamp());
	asked := array_length(p_id, 1);
	numbers := ARRAY(SELECT nextval('onceguard.effects_number_seq') FROM generate_series(1, asked));
	WITH begun AS (
		INSERT INTO onceguard.effects (
			number, id, tenant, subject, agent, run, call_id, tool, type, execute, about, related, key, generation,
			identity, near, resource, caller_key, state, code, reason,
			fence, claim, attempts, failures, review, policy, window_ns, created, updated, since,
			due, events, head, arguments_seq, followed)
		SELECT
			number, id, tenant, subject, agent, run, call_id, tool, type, execute, about, related, key, generation,
			identity, near, resource, caller_key, state, code, reason,
			1, claim, CASE state WHEN 'pending' THEN 1 ELSE 0 END, 0, review, policy, window_ns, moment, moment, moment,
			onceguard.later(moment, lasts_us), 1, onceguard.seal(zero, 1, moment, content),
			CASE WHEN arguments IS NOT NULL THEN 1 END, p_admitted IS NOT NULL OR coalesce(identity, near, resource) IS NOT NULL
		FROM (
			SELECT unnest(numbers) AS number, unnest(p_book) AS book, unnest(p_id) AS id, unnest(p_tenant) AS tenant,
			unnest(p_subject) AS subject, unnest(p_agent) AS agent, unnest(p_run) AS run, unnest(p_call_id) AS call_id,
			unnest(p_tool) AS tool, unnest(p_type) AS type, unnest(p_execute) AS execute, unnest(p_about) AS about,
			unnest(p_related) AS related, unnest(p_key) AS key, unnest(p_generation) AS generation, unnest(p_identity) AS identity,
			unnest(p_near) AS near, unnest(p_resource) AS resource, unnest(p_caller_key) AS caller_key,
			unnest(p_state) AS state, unnest(p_code) AS code, unnest(p_reason) AS reason, unnest(p_claim) AS claim,
			unnest(p_review) AS review, unnest(p_policy) AS policy, unnest(p_window_ns) AS window_ns,
			unnest(p_lasts_us) AS lasts_us, unnest(p_arguments) AS arguments, unnest(p_content) AS content,
			generate_series(1, asked) AS ord
		) AS a
		WHERE book >= newest AND (p_admitted IS NULL OR ord = ANY (p_admitted))
			-- The first generation may have been forgotten before a later one. OFFSET 0 keeps the planner from hashing the whole table.
			AND (generation > 1 OR NOT EXISTS (SELECT FROM onceguard.effects AS e WHERE e.key = a.key OFFSET 0))
		ON CONFLICT DO NOTHING
		RETURNING number
	)
	SELECT array_agg(number) INTO made FROM begun;
	INSERT INTO onceguard.events (
		effect, seq, at, kind, from_state, to_state, fence, actor_kind, actor_name, code, note, claim, count, arguments, hash)
	SELECT number, 1, moment, kind, '', state, 1, actor_kind, actor_name, code, reason, claim, 0, arguments,
		onceguard.seal(zero, 1, moment, content)
	FROM (
		SELECT unnest(numbers) AS number, unnest(p_kind) AS kind, unnest(p_state) AS state, unnest(p_actor_kind) AS actor_kind,
		unnest(p_actor_name) AS actor_name, unnest(p_code) AS code, unnest(p_reason) AS reason, unnest(p_claim) AS claim,
		unnest(p_arguments) AS arguments, unnest(p_content) AS content
	) AS a
	WHERE array_length(made, 1) = asked OR number = ANY (made);
	INSERT INTO onceguard.due (at, number)
	SELECT onceguard.later(moment, lasts_us), number
	FROM (SELECT unnest(numbers) AS number, unnest(p_lasts_us) AS lasts_us) AS a
	WHERE lasts_us IS NOT NULL AND (array_length(made, 1) = asked OR number = ANY (made));

	RETURN QUERY SELECT m.ord, 'made', moment, NULL::text, m.number, NULL::onceguard.records
		FROM unnest(numbers) WITH ORDINALITY AS m (number, ord) WHERE array_length(made, 1) = asked OR m.number = ANY (made);
	IF array_length(made, 1) = asked THEN
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
		WHERE (made IS NULL OR a.number <> ALL (made)) AND (p_admitted IS NULL OR a.ord = ANY (p_admitted));
END $$;
