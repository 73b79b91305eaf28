SELECT number, pattern, text FROM onceguard.editions WHERE number > $1 ORDER BY number
