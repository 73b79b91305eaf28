SELECT number, pattern, text FROM editions WHERE number > ?1 ORDER BY number
