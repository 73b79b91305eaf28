-- What time has decided, the longest ago first.
SELECT * FROM effects WHERE due <= ?1 ORDER BY due LIMIT ?2
