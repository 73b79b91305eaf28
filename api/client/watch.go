package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Tally counts equal happenings within a bucket of time.
type Tally struct {
	Start time.Time `json:"start"`         // of the bucket
	Tool  string    `json:"tool,omitzero"` // "" where agents have named too many
	Kind  string    `json:"kind"`          // a decision, "outcome" or "warned"
	Code  string    `json:"code,omitzero"` // of the answer; of an outcome, the state
	Count int64     `json:"count"`
}

// Tallies is what was counted in a span of time, oldest first.
type Tallies struct {
	BucketMS int64   `json:"bucket_ms"`
	Tallies  []Tally `json:"tallies"`
}

// Switch stops the sends of a tool or an agent, or allows them again.
type Switch struct {
	Kind   string `json:"kind"` // "tool" or "agent"
	Name   string `json:"name"` // of a tool, or a glob; of an agent, exactly
	Off    bool   `json:"off"`
	Reason string `json:"reason,omitzero"` // needed to switch off
}

// Switched is a switch as it stands.
type Switched struct {
	Switch
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Switches is all switches that were ever set, those that stop something first.
type Switches struct {
	Switches []Switched `json:"switches"`
}

// Tallies returns what was counted from a time until another; zero times are the last 24 hours. It needs a reviewer's key.
func (c *Client) Tallies(ctx context.Context, from, until time.Time) (t Tallies, err error) {
	q := url.Values{}
	setTime(q, "from", from)
	setTime(q, "until", until)
	err = c.list(ctx, "/v1/tallies", q, 0, &t)
	return t, err
}

func setTime(q url.Values, name string, t time.Time) {
	if !t.IsZero() {
		q.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

// Switches lists what is switched off, and what was. It needs a reviewer's key.
func (c *Client) Switches(ctx context.Context) (s Switches, err error) {
	_, err = c.send(ctx, http.MethodGet, "/v1/switches", nil, nil, &s)
	return s, err
}

// Switch stops or allows the sends of a tool or an agent. It needs an admin's key.
func (c *Client) Switch(ctx context.Context, s Switch) (now Switched, err error) {
	_, err = c.send(ctx, http.MethodPut, "/v1/switches", nil, s, &now)
	return now, err
}

// Changes yields the ids of effects that change, until ctx ends or the connection breaks; then it yields the error. An id of ""
// means that some were lost: look at everything. It needs a reviewer's key, and a client without a timeout.
func (c *Client) Changes(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		req, err := c.request(ctx, http.MethodGet, "/v1/events", nil, nil)
		if err != nil {
			yield("", err)
			return
		}
		req.Header.Set("Accept", "text/event-stream")
		resp, err := c.http.Do(req)
		if err != nil {
			yield("", err)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
			yield("", problemOf(resp, text))
			return
		}
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var changed struct {
				Effect string `json:"effect"`
			}
			if err := json.Unmarshal([]byte(data), &changed); err != nil {
				yield("", fmt.Errorf("reading the changes: %w", err))
				return
			}
			if !yield(changed.Effect, nil) {
				return
			}
		}
		err = lines.Err()
		if err == nil {
			err = io.EOF
		}
		yield("", err)
	}
}
