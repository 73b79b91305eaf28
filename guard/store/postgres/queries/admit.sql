-- Asks what stands in the way of a claim that the program would refuse.
SELECT a.verdict, a.now, a.superseded, (a.found).*
FROM onceguard.admit(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS a
