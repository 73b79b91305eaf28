SELECT bodies, rows FROM onceguard.prune($1, $2, $3, $4)
