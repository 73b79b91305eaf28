SELECT until FROM onceguard.extend($1, $2, $3, $4)
