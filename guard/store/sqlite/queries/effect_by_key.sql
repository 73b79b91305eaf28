-- The latest generation under a key and, if it is done, what superseded it: the latest effect under another key that was
-- done on the same resource after it.
SELECT effects.*, CASE WHEN state = 'done' THEN (
	SELECT later.id FROM effects AS later
	WHERE later.resource = effects.resource AND later.state = 'done' AND later.since > effects.since
	  AND later.tenant = effects.tenant AND later.key <> effects.key
	ORDER BY later.since DESC, later.number DESC LIMIT 1
) END
FROM effects WHERE key = ?1 ORDER BY generation DESC LIMIT 1
