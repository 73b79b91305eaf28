-- What no longer answers, nor keeps another from answering, and has not changed for longest: still with its bytes and without.
SELECT number, head_event, updated FROM (
	SELECT * FROM (
		SELECT number, head_event, updated FROM effects
		WHERE (state = 'done' OR state = 'failed' OR state = 'refused') AND review = '' AND bytes = 0
		  AND updated <= ?1 AND coalesce(window_until, 0) <= ?2
		  AND NOT EXISTS (SELECT 1 FROM effects AS o WHERE o.key = effects.key AND o.generation < effects.generation)
		  AND NOT EXISTS (
			SELECT 1 FROM effects AS o
			WHERE effects.state = 'done' AND o.resource = effects.resource AND o.state = 'done' AND o.since < effects.since
			  AND o.tenant = effects.tenant AND o.key <> effects.key AND o.window_until > ?2)
		ORDER BY updated LIMIT ?3
	)
	UNION ALL
	SELECT * FROM (
		SELECT number, head_event, updated FROM effects
		WHERE (state = 'done' OR state = 'failed' OR state = 'refused') AND review = '' AND bytes = 1
		  AND updated <= ?1 AND coalesce(window_until, 0) <= ?2
		  AND NOT EXISTS (SELECT 1 FROM effects AS o WHERE o.key = effects.key AND o.generation < effects.generation)
		  AND NOT EXISTS (
			SELECT 1 FROM effects AS o
			WHERE effects.state = 'done' AND o.resource = effects.resource AND o.state = 'done' AND o.since < effects.since
			  AND o.tenant = effects.tenant AND o.key <> effects.key AND o.window_until > ?2)
		ORDER BY updated LIMIT ?3
	)
) ORDER BY updated, number LIMIT ?3
