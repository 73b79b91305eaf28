SELECT tenant, start, tool, kind, code, count FROM tallies
WHERE tenant = ?1 AND start >= ?2 AND start < ?3 ORDER BY start, tool, kind, code
