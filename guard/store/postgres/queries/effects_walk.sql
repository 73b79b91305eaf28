SELECT * FROM onceguard.walk($1, $2)
