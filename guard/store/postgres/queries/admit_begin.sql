-- Begins one effect, if it is admitted.
SELECT coalesce(b.ord, 1), coalesce(b.verdict, a.verdict), coalesce(b.now, a.now), coalesce(b.superseded, a.superseded), b.number,
	(CASE WHEN b.ord IS NULL THEN a.found ELSE b.found END).*
FROM onceguard.admit(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS a
LEFT JOIN LATERAL onceguard.begin(a.verdict = 'admitted', $1,
	$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40,
	$41, $42, $43, $44, $45, $46, $47, $48) AS b ON TRUE
