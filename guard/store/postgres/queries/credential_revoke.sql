-- To revoke a key again changes nothing.
UPDATE onceguard.credentials SET revoked = coalesce(revoked, $2::timestamptz, clock_timestamp()) WHERE id = $1
