SELECT now, (found).* FROM onceguard.find_unsent($1, $2, $3)
