-- Begins those effects of several that are admitted. No two of them may have a lock in common.
WITH weighed AS MATERIALIZED (
	SELECT * FROM onceguard.weigh(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
), begun AS MATERIALIZED (
	SELECT * FROM onceguard.begin(ARRAY(SELECT ord FROM weighed WHERE verdict = 'admitted'), $1,
	$26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48,
	$49, $50, $51, $52, $53, $54, $55, $56)
), used AS MATERIALIZED (
	SELECT onceguard.use(array_agg(number ORDER BY ord), array_agg(now ORDER BY ord), array_agg(ord ORDER BY ord), $21, $22, $23)
	FROM begun WHERE verdict = 'made' AND $21::bigint[] <> '{}'
)
SELECT ord, verdict, now, superseded, NULL::bigint AS number, full_limit, room, (found).* FROM weighed WHERE verdict <> 'admitted'
UNION ALL
SELECT ord, verdict, now, superseded, number, NULL, NULL, (found).* FROM begun WHERE (SELECT count(*) FROM used) >= 0
