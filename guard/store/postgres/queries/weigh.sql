-- Asks what stands in the way of a claim that the program would refuse.
SELECT ord, verdict, now, superseded, NULL::bigint, full_limit, room, (found).*
FROM onceguard.weigh(
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
