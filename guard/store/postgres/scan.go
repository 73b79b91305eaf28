package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/onceguard/onceguard/fingerprint"
)

// The destinations of columns. NULL is the zero value of each, because a row may be the right side of an outer join.

type textTo struct{ to *string }

func (c textTo) ScanText(v pgtype.Text) error {
	*c.to = decodeText(v.String)
	return nil
}

// wordTo is textTo for the string types of package guard.
type wordTo[T ~string] struct{ to *T }

func (c wordTo[T]) ScanText(v pgtype.Text) error {
	*c.to = T(decodeText(v.String))
	return nil
}

func word[T ~string](to *T) wordTo[T] { return wordTo[T]{to} }

type numberTo[T ~int | ~int64] struct{ to *T }

func (c numberTo[T]) ScanInt64(v pgtype.Int8) error {
	*c.to = T(v.Int64)
	return nil
}

func number[T ~int | ~int64](to *T) numberTo[T] { return numberTo[T]{to} }

type boolTo struct{ to *bool }

func (c boolTo) ScanBool(v pgtype.Bool) error {
	*c.to = v.Bool
	return nil
}

type timeTo struct{ to *time.Time }

func (c timeTo) ScanTimestamptz(v pgtype.Timestamptz) error {
	*c.to = time.Time{}
	if v.Valid {
		*c.to = v.Time.UTC()
	}
	return nil
}

type digestTo struct{ to *[32]byte }

func (c digestTo) ScanBytes(v []byte) error {
	*c.to = [32]byte{}
	copy(c.to[:], v)
	return nil
}

func digest(to *fingerprint.Digest) digestTo { return digestTo{(*[32]byte)(to)} }

// bytesTo copies, because the driver keeps what it shows. No bytes are nil.
type bytesTo struct{ to *[]byte }

func (c bytesTo) ScanBytes(v []byte) error {
	*c.to = append([]byte(nil), v...)
	return nil
}
