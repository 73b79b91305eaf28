-- A page of a tenant's effects, newest first. An empty filter matches all.
SELECT * FROM effects
WHERE tenant = ?1 AND number < ?2
  AND (?3 = '' OR subject = ?3)
  AND (?4 = '' OR tool = ?4)
  AND (?5 = '' OR run = ?5)
  AND (?6 = '' OR agent = ?6)
  AND (?7 = '' OR execute = ?7)
  AND (?8 = '[]' OR state IN (SELECT value FROM json_each(?8)))
ORDER BY number DESC LIMIT ?9
