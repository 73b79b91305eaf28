SELECT * FROM effects WHERE number = ?1
