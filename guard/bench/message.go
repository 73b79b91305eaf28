package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/onceguard/onceguard/api/client"
)

// placeholder stands in messages where the id of a call goes. All ids have its length, so a message's Content-Length is constant.
const placeholder = "00000000-0000-4000-8000-000000000000"

// ids makes ids that no other run has used: of orders for the guard, and keys for the peers. Its zero value is of no use.
type ids struct {
	head string
	n    atomic.Int64
}

func newIDs() *ids { return idsOf(fmt.Sprintf("%08x", rand.Uint32())) }

// idsOf continues the ids with a head of eight digits.
func idsOf(head string) *ids { return &ids{head: head} }

// next returns an id that was not returned before.
func (s *ids) next() string { return s.at(s.n.Add(1) - 1) }

// at returns the id with a number, which is below 2^48.
func (s *ids) at(n int64) string {
	tail := strconv.FormatInt(1<<48|n, 16)
	return s.head + "-0000-4000-8000-" + tail[1:]
}

// message is a whole HTTP request but for the id.
type message struct{ parts [][]byte }

// newMessage makes a POST request. The placeholder may be in the header's values and in the body.
func newMessage(addr, path string, header http.Header, body []byte) message {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", path, addr, len(body))
	_ = header.Write(&b) // a Buffer takes everything
	b.WriteString("\r\n")
	b.Write(body)
	return message{bytes.Split(b.Bytes(), []byte(placeholder))}
}

// with appends the request with an id to dst.
func (m message) with(dst []byte, id string) []byte {
	for i, part := range m.parts {
		if i > 0 {
			dst = append(dst, id...)
		}
		dst = append(dst, part...)
	}
	return dst
}

// The tools of the bench's policy.
const (
	refundTool = "payments.refund" // sent by the guard
	mailTool   = "mail.send"       // sent by the guard, compared by wording
	shipTool   = "parcels.ship"    // run by the caller
)

// policy describes the tools to the guard; %s is the upstream's address. The window is long, because ledgers are kept for later runs.
const policy = `version: 1
defaults: {window: 52w}
tools:
  - name: payments.refund
    upstream: {http: {url: "%[1]s/", timeout: 30s, reuse: 10s, network: private}}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {kind: money, currency: currency}
      currency: {kind: enum}
      customer: {kind: email}
      address: {}
      lines: {}
      reason: {role: commentary}
  - name: mail.send
    upstream: {http: {url: "%[1]s/", timeout: 30s, reuse: 10s, network: private}}
    arguments:
      case: {role: identity, kind: id}
      to: {role: identity, kind: set of email}
      body: {kind: text}
    on: {near: confirm}
  - name: parcels.ship
    arguments:
      order_id: {role: identity, kind: id}
      amount: {kind: money, currency: currency}
      currency: {kind: enum}
      customer: {kind: email}
      address: {}
      lines: {}
      reason: {role: commentary}
`

// refundArguments is a call of about the size that agents send.
const refundArguments = `{"order_id":"` + placeholder + `","amount":"25.00","currency":"EUR","customer":"ann.example@example.com",` +
	`"address":{"street":"12 Long Lane","city":"Springfield","postcode":"12345","country":"DE"},` +
	`"lines":[{"sku":"SKU-1001","quantity":1,"price":12.5},{"sku":"SKU-2002","quantity":2,"price":6.25}],` +
	`"reason":"The customer wrote on Monday that the parcel arrived with a broken lid, sent two photographs, and asks for the price of both articles. The warehouse has confirmed it."}`

// Two letters that differ in wording only.
const (
	letter   = "Dear Ann, thank you for your patience. The parcel with your order leaves our warehouse on Monday with the van of the morning, and you will get a message when it is at your door. Kind regards, the shop."
	reworded = "Dear Ann, many thanks for your patience. On Monday the parcel with your order leaves our warehouse with the morning van, and a message will reach you when it is at your door. Kind regards, your shop."
)

func mailArguments(body string) string {
	return `{"case":"` + placeholder + `","to":["ann.example@example.com"],"body":"` + body + `"}`
}

// callBody is the body of a call as the public client writes it.
func callBody(tool, arguments, execute string) []byte {
	text, err := json.Marshal(client.Call{Tool: tool, Arguments: json.RawMessage(arguments), Run: "bench", Execute: execute})
	if err != nil {
		panic(err) // the arguments are constants of this program
	}
	return text
}

func bearer(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

// upstreamAnswer is what the upstream answers to everything.
var upstreamAnswer = []byte(`{"refund":"rf_0123456789","status":"succeeded","note":"` + strings.Repeat("x", 186) + `"}`)
