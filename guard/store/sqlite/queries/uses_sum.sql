-- What others than an effect have used under a key since a moment, in two halves: their sum may be more than a number holds.
SELECT coalesce(sum(amount >> 32), 0), coalesce(sum(amount & 4294967295), 0)
FROM uses WHERE key = ?1 AND at > ?2 AND given_back = 0 AND effect <> ?3
