SELECT number, kind, name, text, author, reason, at, onto FROM book WHERE number > ?1 ORDER BY number
