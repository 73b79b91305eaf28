package storetest

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/onceguard/onceguard/guard"
)

// Difference names the first field in which two effects differ, "" when they are equal. No bytes and nil bytes are equal,
// and so are two times that name the same moment in different zones.
func Difference(a, b guard.Effect) string {
	for _, times := range []struct {
		name string
		a, b interface{ UnixMicro() int64 }
	}{
		{"Created", a.Created, b.Created}, {"Updated", a.Updated, b.Updated}, {"Since", a.Since, b.Since}, {"LeaseUntil", a.LeaseUntil, b.LeaseUntil},
		{"ExpiresAt", a.ExpiresAt, b.ExpiresAt}, {"WindowUntil", a.WindowUntil, b.WindowUntil},
	} {
		if times.a.UnixMicro() != times.b.UnixMicro() {
			return fmt.Sprintf("%s: %v and %v", times.name, times.a, times.b)
		}
	}
	if !bytes.Equal(a.Arguments, b.Arguments) {
		return fmt.Sprintf("Arguments: %s and %s", a.Arguments, b.Arguments)
	}
	if !sameResult(a.Result, b.Result) {
		return fmt.Sprintf("Result: %+v and %+v", a.Result, b.Result)
	}
	a.Created, a.Updated, a.Since, a.LeaseUntil, a.ExpiresAt, a.WindowUntil = b.Created, b.Updated, b.Since, b.LeaseUntil, b.ExpiresAt, b.WindowUntil
	a.Arguments, a.Result = b.Arguments, b.Result
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if p, q := x.Field(i).Interface(), y.Field(i).Interface(); !reflect.DeepEqual(p, q) {
			return fmt.Sprintf("%s: %v and %v", x.Type().Field(i).Name, p, q)
		}
	}
	return ""
}
