SELECT (effect).*, (event).* FROM onceguard.history($1)
