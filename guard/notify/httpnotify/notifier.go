package httpnotify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/egress"
	"github.com/onceguard/onceguard/policy"
)

// maxHeader is the most bytes of an answer's head.
const maxHeader = 16 << 10

// Options configures a Notifier. The zero value is safe and complete.
type Options struct {
	Roots    *x509.CertPool // nil: the system's
	Resolver *net.Resolver  // nil: the system's
}

// Notifier posts notices. It is safe for use by many goroutines, and holds nothing between attempts.
type Notifier struct {
	public, private *http.Client
}

var _ guard.Notifier = (*Notifier)(nil)

// New makes a Notifier.
func New(o Options) *Notifier {
	return &Notifier{public: client(o, false), private: client(o, true)}
}

// client reaches the public Internet, and private addresses if it is told to.
func client(o Options, private bool) *http.Client {
	dialer := &net.Dialer{Resolver: o.Resolver, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		return egress.Check(address, private)
	}}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // the environment has no say
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Deliver implements guard.Notifier.
func (n *Notifier) Deliver(ctx context.Context, to *policy.Endpoint, notice guard.Notice) guard.Delivery {
	header, body, err := message(to, notice, time.Now())
	if err != nil {
		return guard.Delivery{Detail: "the message could not be made"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL(), bytes.NewReader(body))
	if err != nil {
		return guard.Delivery{Detail: "the url of the endpoint cannot be read"}
	}
	req.Header = header
	c := n.public
	if to.Private {
		c = n.private
	}
	resp, err := c.Do(req)
	if err != nil {
		return guard.Delivery{Detail: why(ctx, err)}
	}
	resp.Body.Close()
	return delivery(resp)
}

// message is the one of the endpoint's kind.
func message(to *policy.Endpoint, n guard.Notice, now time.Time) (header http.Header, body []byte, err error) {
	header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"onceguard"}}
	if to.Kind == policy.Slack {
		body, err = slackBody(n)
		return header, body, err
	}
	if body, err = webhookBody(n); err != nil {
		return nil, nil, err
	}
	return header, body, sign(header, to.Secret(), n.ID, now, body)
}

// delivery says what an answer means.
func delivery(resp *http.Response) guard.Delivery {
	d := guard.Delivery{Detail: fmt.Sprintf("it answered %d", resp.StatusCode)}
	switch s := resp.StatusCode; {
	case s >= 200 && s < 300:
		d.Done = true
	case s >= 300 && s < 400:
		d.Detail += ", a redirect, which is not followed: name the new address in the policy"
	case s == http.StatusGone:
		d.Gone = true
	case s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable:
		d.After = retryAfter(resp.Header.Get("Retry-After"))
	}
	return d
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3); 0 for none that can be read.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// why says in fixed words why there was no answer: errors of the libraries quote the address, which is a secret.
func why(ctx context.Context, err error) string {
	if refused, ok := errors.AsType[egress.Refused](err); ok {
		if refused.NeedsPrivate {
			return "its address is private, and the endpoint does not say network: private"
		}
		return "its address is one that no policy may reach"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate could not be verified"
	}
	dns, unresolved := errors.AsType[*net.DNSError](err)
	dial, _ := errors.AsType[*net.OpError](err)
	switch {
	case ctx.Err() != nil:
		return "there was no answer in time"
	case unresolved && dns.IsNotFound:
		return "its host name does not exist"
	case unresolved:
		return "its host name could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refused the connection"
	case dial != nil && dial.Op == "dial":
		return "no connection to it could be made"
	}
	return "the connection to it broke before an answer, or the answer could not be read"
}
