package servertest_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

// orphanEnv makes the test program one that starts a server, says where, and waits to be killed.
const orphanEnv = "ONCEGUARD_TEST_ORPHAN"

func ask(t *testing.T, dsn, text string, to any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), text).Scan(to); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	var a, b, fsync string
	first, second := servertest.Postgres(t), servertest.Postgres(t)
	ask(t, first, "SELECT current_database()", &a)
	ask(t, second, "SELECT current_database()", &b)
	ask(t, first, "SELECT current_setting('fsync')", &fsync)
	if a == b || fsync != "on" {
		t.Errorf("databases %s and %s, fsync %s", a, b, fsync)
	}
}

func TestRestart(t *testing.T) {
	s := servertest.StartPostgres(t)
	s.Exec(t, "CREATE TABLE kept AS SELECT 7 AS n")
	s.StopImmediate(t)
	if conn, err := pgx.Connect(t.Context(), s.DSN("postgres")); err == nil {
		conn.Close(t.Context())
		t.Fatal("a server that was stopped answers")
	}
	s.Start(t)
	var n int
	if ask(t, s.DSN("postgres"), "SELECT n FROM kept", &n); n != 7 {
		t.Errorf("after recovery: %d", n)
	}
}

// TestNoServerOutlivesItsProcess kills a process that has a server: the server ends and its folder goes.
func TestNoServerOutlivesItsProcess(t *testing.T) {
	if os.Getenv(orphanEnv) != "" {
		s := servertest.StartPostgres(t)
		fmt.Println("server", s.Port(), s.Folder())
		select {}
	}
	servertest.Postgres(t) // skips where there is none
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoServerOutlivesItsProcess$")
	cmd.Env = append(os.Environ(), orphanEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var port int
	var folder string
	for lines := bufio.NewScanner(out); port == 0 && lines.Scan(); {
		fmt.Sscanf(lines.Text(), "server %d %s", &port, &folder)
	}
	if port == 0 {
		t.Fatal("the process started no server")
	}
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the server spoke")
	} // else its end closed the connection
	for { // the warden removes the folder after that
		if _, err := os.Stat(folder); os.IsNotExist(err) {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("the folder is still there")
		}
	}
}
