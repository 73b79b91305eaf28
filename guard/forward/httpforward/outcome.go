package httpforward

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/egress"
)

const maybeApplied = " It is not known whether the change was made."

// notSent is the outcome of an attempt of which no byte left.
func notSent(detail string) guard.Outcome {
	return guard.Outcome{State: guard.Failed, Code: guard.CodeNotSent, Detail: detail}
}

// notConnected explains why there was no connection. dialed tells that TCP was up and TLS failed.
func notConnected(ctx context.Context, dialed bool, err error) guard.Outcome {
	if refused, ok := errors.AsType[egress.Refused](err); ok {
		if refused.NeedsPrivate {
			return notSent("The upstream has a private address, which its policy does not allow; nothing was sent.")
		}
		return notSent("The upstream has an address that no policy may reach; nothing was sent.")
	}
	if ctx.Err() != nil {
		return notSent("No connection to the upstream was made in time; nothing was sent.")
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return notSent("The host name of the upstream does not exist; nothing was sent.")
		}
		return notSent("The host name of the upstream could not be resolved; nothing was sent.")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return notSent("The certificate of the upstream could not be verified; nothing was sent.")
	}
	switch {
	case dialed:
		return notSent("The TLS handshake with the upstream failed; nothing was sent.")
	case errors.Is(err, syscall.ECONNREFUSED):
		return notSent("The upstream refused the connection; nothing was sent.")
	}
	return notSent("No connection to the upstream could be made; nothing was sent.")
}

// noAnswer is the outcome of a round trip that failed.
func noAnswer(ctx context.Context, sent, answered, oversize bool) guard.Outcome {
	if !sent {
		return notSent("The connection to the upstream broke before anything was sent.")
	}
	switch {
	case ctx.Err() != nil:
		return unknown(guard.CodeUpstreamTimeout, "The upstream did not answer in time.")
	case oversize:
		return unknown(guard.CodeUpstreamOversize, "The headers of the upstream's answer are too large.")
	case answered:
		return unknown(guard.CodeUpstreamGarbled, "The upstream's answer cannot be read as HTTP.")
	}
	return unknown(guard.CodeUpstreamLost, "The connection to the upstream was lost before it answered.")
}

// errOversize ends the reading of a body that is too large.
var errOversize = errors.New("body too large")

// readBody reads the answer's body to its end. An error says that it is not complete, or too large.
func (f *Forwarder) readBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if resp.ProtoMajor != spoken(resp) {
		return nil, http.ErrNotSupported // net/http reads "HTTP/0.0 200" as gladly as any other version
	}
	if resp.StatusCode == http.StatusSwitchingProtocols || resp.Request.Method == http.MethodHead {
		return nil, nil // no body follows: what follows a 101, which nobody asked for, is not HTTP
	}
	if resp.ContentLength > f.maxBody {
		return nil, errOversize
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, f.maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > f.maxBody:
		return nil, errOversize
	case endsByClosing(resp) && isJSON(resp.Header) && !json.Valid(body):
		return nil, io.ErrUnexpectedEOF
	}
	return body, nil
}

// spoken is the major version of the protocol on the connection that the answer came by.
func spoken(resp *http.Response) int {
	if resp.TLS != nil && resp.TLS.NegotiatedProtocol == "h2" {
		return 2
	}
	return 1
}

// endsByClosing reports whether nothing but the end of the connection ends the body.
func endsByClosing(resp *http.Response) bool {
	return resp.ProtoMajor == 1 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
}

func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// partAnswer is the outcome of an answer whose head was read and whose body was not.
func partAnswer(ctx context.Context, resp *http.Response, err error) guard.Outcome {
	var out guard.Outcome
	status := named(resp.StatusCode)
	switch {
	case errors.Is(err, errOversize):
		out = unknown(guard.CodeUpstreamOversize, "The upstream answered "+status+" with a body that is too large.")
	case ctx.Err() != nil:
		out = unknown(guard.CodeUpstreamTimeout, "The upstream answered "+status+", but its answer was not complete in time.")
	default:
		out = unknown(guard.CodeUpstreamGarbled, "The upstream answered "+status+", but its answer is not complete.")
	}
	out.Header = resp.Header
	return out
}

// refuses tells whether a status means that nothing was applied.
func refuses(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		return true
	}
	return false
}

// answer is the outcome of a complete answer.
func answer(resp *http.Response, body []byte) guard.Outcome {
	status := named(resp.StatusCode)
	var out guard.Outcome
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		out = guard.Outcome{State: guard.Done, Code: guard.CodeUpstreamDone, Detail: "The upstream answered " + status + "."}
	case refuses(code):
		out = guard.Outcome{State: guard.Failed, Code: guard.CodeUpstreamRefused,
			Detail: "The upstream answered " + status + ": it did not make the change."}
	case code >= 300 && code < 400:
		out = unknown(guard.CodeUpstreamStatus, "The upstream answered "+status+", and redirects are not followed.")
	default:
		out = unknown(guard.CodeUpstreamStatus, "The upstream answered "+status+".")
	}
	out.Sent = true
	out.Header = resp.Header
	out.Result = &guard.Result{
		Status:      resp.StatusCode,
		ContentType: resp.Header.Get("Content-Type"),
		Body:        body,
		IsError:     out.State != guard.Done,
		Source:      guard.FromUpstream,
	}
	return out
}

func unknown(code guard.Code, detail string) guard.Outcome {
	return guard.Outcome{State: guard.Unknown, Code: code, Detail: detail + maybeApplied, Sent: true}
}

// named is a status as people know it. The upstream's own phrase is not used: it is text from outside.
func named(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d (%s)", status, text)
	}
	return fmt.Sprint(status)
}
