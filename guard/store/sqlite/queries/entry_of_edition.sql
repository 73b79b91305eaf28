SELECT number, kind, name, text, author, reason, at, onto FROM book WHERE kind = 'edition' AND name = ?1 AND text = ?2
