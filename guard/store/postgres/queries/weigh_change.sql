-- Claims an effect once more, if that is admitted. It is moved when it is no longer what the program judged.
WITH weighed AS MATERIALIZED (
	SELECT * FROM onceguard.weigh(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
), changed AS MATERIALIZED (
	SELECT c.* FROM weighed, onceguard.change(verdict = 'admitted', $1, FALSE,
	$26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48,
	$49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64) AS c
), used AS MATERIALIZED (
	SELECT onceguard.use(array_agg(number), array_agg(at), array_agg(ord), $21, $22, $23)
	FROM changed WHERE $21::bigint[] <> '{}'
)
SELECT CASE WHEN w.verdict <> 'admitted' THEN w.verdict WHEN c.ord IS NULL THEN 'moved' ELSE 'made' END,
	w.now, w.superseded, w.full_limit, w.room, c.at, c.due, c.window_until, (w.found).*
FROM weighed AS w LEFT JOIN changed AS c ON TRUE
WHERE (SELECT count(*) FROM used) >= 0
