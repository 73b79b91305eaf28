package httpnotify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/onceguard/onceguard/guard"
)

// webhookType is the type of the one event that there is.
const webhookType = "review.opened"

// webhook is the document for endpoints of kind standard-webhooks.
type webhook struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Review    string                     `json:"review"`
		Effect    string                     `json:"effect"`
		Tenant    string                     `json:"tenant"`
		Tool      string                     `json:"tool"`
		State     string                     `json:"state"`
		Code      string                     `json:"code"`
		Why       string                     `json:"why"`
		ExpiresAt time.Time                  `json:"expires_at,omitzero"`
		ReviewURL string                     `json:"review_url,omitzero"`
		Arguments map[string]json.RawMessage `json:"arguments,omitempty"`
	} `json:"data"`
}

func webhookBody(n guard.Notice) ([]byte, error) {
	w := webhook{Type: webhookType, Timestamp: n.At.UTC()}
	d := &w.Data
	d.Review, d.Effect, d.Tenant, d.Tool = n.Review, n.Effect, n.Tenant, n.Tool
	d.State, d.Code, d.Why, d.ReviewURL = string(n.State), string(n.Code), n.Why, n.URL
	if !n.Until.IsZero() {
		d.ExpiresAt = n.Until.UTC()
	}
	if len(n.Arguments) > 0 {
		d.Arguments = make(map[string]json.RawMessage, len(n.Arguments))
	}
	for _, a := range n.Arguments {
		d.Arguments[a.Path] = a.Value
	}
	return json.Marshal(w)
}

// sign adds the headers of Standard Webhooks. The time is that of the attempt, so that a receiver can refuse old ones.
func sign(header http.Header, secret, id string, at time.Time, body []byte) error {
	key, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return fmt.Errorf("the secret cannot be read: %w", err)
	}
	signature, err := key.Sign(id, at, body)
	if err != nil {
		return err
	}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return nil
}
