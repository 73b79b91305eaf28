SELECT * FROM effects WHERE number > ?1 ORDER BY number LIMIT ?2
