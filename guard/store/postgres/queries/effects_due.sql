SELECT now, (found).* FROM onceguard.due($1, $2)
