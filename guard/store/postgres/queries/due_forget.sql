SELECT onceguard.forget_due($1, $2)
