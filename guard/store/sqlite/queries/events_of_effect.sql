-- All events of an effect, from its last one backwards.
WITH RECURSIVE chain (number, previous) AS (
	SELECT number, previous FROM events WHERE number = ?1
	UNION ALL
	SELECT events.number, events.previous FROM chain JOIN events ON events.number = chain.previous
)
SELECT events.* FROM chain JOIN events ON events.number = chain.number
