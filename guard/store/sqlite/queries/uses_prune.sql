-- Uses come in the order of time, so that the oldest stand first.
DELETE FROM uses WHERE at <= ?1 AND number IN (SELECT number FROM uses ORDER BY number LIMIT ?2)
