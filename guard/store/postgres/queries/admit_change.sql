-- Claims an effect once more, if that is admitted. It is moved when it is no longer what the program judged.
SELECT CASE WHEN a.verdict <> 'admitted' THEN a.verdict WHEN c.ord IS NULL THEN 'moved' ELSE 'made' END,
	a.now, a.superseded, c.at, c.due, c.window_until, (a.found).*
FROM onceguard.admit(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS a
LEFT JOIN LATERAL onceguard.change(a.verdict = 'admitted', $1, FALSE,
	$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40,
	$41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56) AS c ON TRUE
