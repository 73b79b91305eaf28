-- The latest generation under a key.
SELECT * FROM effects WHERE key = ?1 ORDER BY generation DESC LIMIT 1
