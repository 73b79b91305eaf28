SELECT number, kind, name, text, author, reason, at, onto FROM onceguard.book WHERE number > $1 ORDER BY number
