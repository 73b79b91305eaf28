SELECT number, kind, name, text, author, reason, at, onto FROM onceguard.enter($1, $2, $3, $4, $5, $6, $7)
