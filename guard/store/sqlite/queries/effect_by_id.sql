SELECT * FROM effects WHERE id = ?1
