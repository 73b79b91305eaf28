package sqlite

import (
	"context"
	"reflect"

	lib "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// TestingOnlySteps returns how many steps the virtual machine of SQLite has made for the statements of the writer.
func (s *Store) TestingOnlySteps() (n int64, err error) {
	err = s.write(context.Background(), "test", func(w *writer) error {
		for _, stmt := range w.conn.statements {
			n += steps(stmt)
		}
		return nil
	})
	return n, err
}

// steps asks sqlite3_stmt_status, which the bindings do not pass on, with the handles that they keep to themselves.
func steps(stmt *sqlite.Stmt) int64 {
	status := reflect.ValueOf(lib.Xsqlite3_stmt_status)
	inside := reflect.ValueOf(stmt).Elem()
	thread := inside.FieldByName("conn").Elem().FieldByName("tls").UnsafePointer()
	return status.Call([]reflect.Value{
		reflect.NewAt(status.Type().In(0).Elem(), thread), reflect.ValueOf(uintptr(inside.FieldByName("stmt").Uint())),
		reflect.ValueOf(int32(lib.SQLITE_STMTSTATUS_VM_STEP)), reflect.ValueOf(int32(0)),
	})[0].Int()
}
