SELECT now, (found).* FROM onceguard.unsent($1, $2, $3)
