DELETE FROM effects WHERE number = ?1
