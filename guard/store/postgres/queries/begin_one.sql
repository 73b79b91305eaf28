-- Begins one effect that compares nothing and follows nothing, as begin does; no row when it was not made. The function that takes
-- the lock of the book has a snapshot of its own, and so knows what was entered while it waited.
WITH begun AS (
	INSERT INTO onceguard.effects (
		id, tenant, subject, agent, run, call_id, tool, type, execute, about, related, key, generation, identity, near, resource, caller_key,
		state, code, reason, fence, claim, attempts, failures, review, policy, window_ns, created, updated, since,
		due, events, head, arguments_seq, followed)
	SELECT $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::bigint, $16, $17, $18, $19,
		$20, $21, $22, 1, $23, CASE WHEN $20 = 'pending' THEN 1 ELSE 0 END, 0, $24, $25, $26::bigint, moment, moment, moment,
		onceguard.later(moment, $27), 1,
		onceguard.seal('\x0000000000000000000000000000000000000000000000000000000000000000', 1, moment, $32),
		CASE WHEN $31::bytea IS NOT NULL THEN 1 END, coalesce($16::bytea, $17, $18) IS NOT NULL
	FROM (SELECT onceguard.take_locks('{}') AS newest, coalesce($1::timestamptz, clock_timestamp()) AS moment OFFSET 0) AS now
	WHERE newest <= $2
		-- The first generation may have been forgotten before a later one. OFFSET 0 keeps the planner from hashing the whole table.
		AND ($15::bigint > 1 OR NOT EXISTS (SELECT FROM onceguard.effects AS e WHERE e.key = $14 OFFSET 0))
	ON CONFLICT DO NOTHING
	RETURNING number, created, head, due
), recorded AS (
	INSERT INTO onceguard.events (
		effect, seq, at, kind, from_state, to_state, fence, actor_kind, actor_name, code, note, claim, count, arguments, hash)
	SELECT number, 1, created, $28, '', $20, 1, $29, $30, $21, $22, $23, 0, $31, head FROM begun
), noticed AS (
	INSERT INTO onceguard.due (at, number) SELECT due, number FROM begun WHERE due IS NOT NULL
)
SELECT number, created FROM begun
