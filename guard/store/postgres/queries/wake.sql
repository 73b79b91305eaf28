SELECT onceguard.wake($1)
