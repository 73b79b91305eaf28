-- Takes the locks of all claims that follow in the same round trip.
SELECT onceguard.enter($1)
