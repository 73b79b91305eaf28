SELECT now, (found).* FROM onceguard.find_related($1, $2, $3, $4, $5, $6)
