UPDATE events SET arguments = NULL, body = NULL, arguments_hash = ?2, body_hash = ?3 WHERE number = ?1
