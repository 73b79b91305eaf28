-- Takes the locks of all claims that follow in the same round trip.
SELECT onceguard.take_locks($1)
