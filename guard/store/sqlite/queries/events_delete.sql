-- All events of an effect, given its last one.
WITH RECURSIVE chain (number, previous) AS (
	SELECT number, previous FROM events WHERE number = ?1
	UNION ALL
	SELECT events.number, events.previous FROM chain JOIN events ON events.number = chain.previous
)
DELETE FROM events WHERE number IN (SELECT number FROM chain)
