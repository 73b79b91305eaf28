package postgres

import "github.com/onceguard/onceguard/guard"

func unavailable(op string, err error) error {
	return &guard.Error{Code: guard.CodeUnavailable, Op: op, Message: "the ledger does not answer", Err: err}
}

func closed(op string) error {
	return &guard.Error{Code: guard.CodeUnavailable, Op: op, Message: "the ledger is closed"}
}

func uncertain(op string, err error) error {
	return &guard.Error{Code: guard.CodeUncertain, Op: op, Message: "the ledger did not confirm the write, which may have been made", Err: err}
}

func corrupt(op, id string) error {
	return &guard.Error{Code: guard.CodeCorrupt, Op: op, Message: "the records of effect " + id + " do not verify, so nothing is answered from them: restore the ledger from a backup"}
}

func invalid(op, field, message string) error {
	return &guard.Error{Code: guard.CodeInvalid, Op: op, Field: field, Message: message}
}

func notFound(op string) error {
	return &guard.Error{Code: guard.CodeNotFound, Op: op, Message: "there is no such effect"}
}

// refuse returns the error that carries an effect as it stands.
func refuse(code guard.ErrorCode, op, message string, r *record) error {
	return &guard.Error{Code: code, Op: op, Message: message, Effect: &r.Effect}
}
