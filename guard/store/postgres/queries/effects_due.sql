SELECT now, (found).* FROM onceguard.find_due($1, $2)
