SELECT coalesce($1::timestamptz, clock_timestamp()), pg_is_in_recovery()
