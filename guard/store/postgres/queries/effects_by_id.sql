SELECT now, (found).* FROM onceguard.find($2, $1)
