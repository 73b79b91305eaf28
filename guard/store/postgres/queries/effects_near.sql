SELECT now, (found).* FROM onceguard.nearby($4, $1, $2, $3, $5)
