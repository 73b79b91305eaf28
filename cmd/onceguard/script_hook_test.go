package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onceguard/onceguard/guard/forward/forwardtest"
)

// hookCommand speaks of the endpoint that policies call http://hooks.test:
//
//	hook will BEHAVIOUR...   what it does next, as in upstream
//	hook await N             wait until N messages have come
//	hook received N          so many have come by now
//	hook verified N SECRET   the N-th message is signed with the secret; its body is then the last answer
//	hook same N M            two messages have one id
func hookCommand(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	what, args := word(ts, neg, args)
	switch what {
	case "will":
		for _, name := range args {
			w.hooks.Script(behaviour(ts, name))
		}
	case "await":
		ctx, cancel := limit(ts)
		defer cancel()
		ts.Check(w.hooks.Await(ctx, number(ts, args, 0)))
	case "received":
		equal(ts, "messages at the endpoint", w.hooks.Received(""), number(ts, args, 0))
	case "verified":
		m := w.message(ts, args, 0)
		ts.Check(verified(m, args[1]))
		w.take(ts, reply{status: http.StatusOK, header: m.Header, body: m.Body})
	case "same":
		equal(ts, "id of a message", w.message(ts, args, 0).Header.Get("Webhook-Id"), w.message(ts, args, 1).Header.Get("Webhook-Id"))
	default:
		ts.Fatalf("an endpoint cannot %q", what)
	}
}

func (w *world) message(ts *testscript.TestScript, args []string, i int) forwardtest.Request {
	n, all := number(ts, args, i), w.hooks.Requests()
	if n < 1 || n > len(all) {
		ts.Fatalf("%d messages have come, and the %d. is asked for", len(all), n)
	}
	return all[n-1]
}

// verified checks a signature by the text of Standard Webhooks, with nothing of the code that makes it.
func verified(m forwardtest.Request, secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", m.Header.Get("Webhook-Id"), m.Header.Get("Webhook-Timestamp"), m.Body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); m.Header.Get("Webhook-Signature") != want {
		return fmt.Errorf("the signature is %q, want %q", m.Header.Get("Webhook-Signature"), want)
	}
	return nil
}
