-- A page of a tenant's effects with an open review, newest first. An empty filter matches all.
SELECT * FROM effects
WHERE tenant = ?1 AND review <> '' AND created >= ?2 AND (created, number) < (?3, ?4)
  AND (?5 = '' OR subject = ?5)
  AND (?6 = '' OR tool = ?6)
  AND (?7 = '' OR run = ?7)
  AND (?8 = '' OR agent = ?8)
  AND (?9 = '' OR execute = ?9)
  AND (?10 = '' OR instr(lower(about), lower(?10)))
  AND (?11 = '[]' OR state IN (SELECT value FROM json_each(?11)))
ORDER BY created DESC, number DESC LIMIT ?12
