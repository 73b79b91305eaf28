-- Records the outcome of one attempt, as settle does; no row when the effect has moved.
WITH changed AS (
	UPDATE onceguard.effects AS e SET
		state = $4, code = $5, reason = $6, failures = $7, review = $8,
		updated = greatest(moment, e.updated), since = greatest(moment, e.updated),
		due = NULL, window_until = onceguard.later(greatest(moment, e.updated), $9),
		events = e.events + 1, head = onceguard.seal(e.head, e.events + 1, greatest(moment, e.updated), $18),
		result_seq = CASE WHEN $13::text IS NOT NULL THEN e.events + 1 END, bodies = e.bodies OR $17::bytea IS NOT NULL
	FROM (SELECT coalesce($1::timestamptz, clock_timestamp()) AS moment OFFSET 0) AS now
	WHERE e.number = $2 AND e.events = $3
	RETURNING e.number, e.events AS seq, e.updated AS at, e.fence, e.claim, e.window_until, e.head
), recorded AS (
	INSERT INTO onceguard.events
	SELECT number, seq, at, 'settled', $10, $4, fence, $11, $12, $5, $6, claim, 0, NULL, $13, $14, $15, $16, $17, head
	FROM changed
)
SELECT at, window_until FROM changed
