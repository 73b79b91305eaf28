-- In the order of bytes, which is that of the program.
SELECT start, tool, kind, code, count FROM onceguard.tallies WHERE tenant = $1 AND start >= $2 AND start < $3
ORDER BY start, tool COLLATE "C", kind COLLATE "C", code COLLATE "C"
