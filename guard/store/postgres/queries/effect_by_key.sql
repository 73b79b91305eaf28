-- The latest generation under a key and what superseded it. The server says whether it is one that may be behind.
SELECT now, standby, superseded, (found).* FROM onceguard.lookup($2, $1)
