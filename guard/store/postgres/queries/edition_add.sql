SELECT onceguard.add_edition($1, $2, $3)
