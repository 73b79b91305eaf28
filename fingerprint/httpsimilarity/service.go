// Package httpsimilarity compares wordings by a service of the operator's, such as one that embeds sentences.
//
// The service gets one POST request with {"pairs": [{"earlier": "…", "now": "…"}, …]} and answers 200 with
// {"scores": [0.83, …]}: one number between 0, nothing in common, and 1, the same, for each pair in its order. It is asked
// only for pairs that the default Similarity finds no contrast in and no empty side of: a service gives scores, and does not
// overrule what makes two texts surely different. It sees the texts of calls, so it has to be as trusted as the ledger.
//
// Whatever goes wrong with the service (no answer in time, another status, a redirect, an answer that does not fit), the
// scores of the default stand, and one line in the log says why, without any text of a call. Nothing is asked twice.
package httpsimilarity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// DefaultTimeout is how long a service is waited for where Options.Timeout says nothing. A call waits that long at most
// before it is decided by the default.
const DefaultTimeout = 2 * time.Second

const (
	maxRequest = 4 << 20 // most bytes of a request; more are not sent
	maxScore   = 64      // most bytes of an answer for each score
	maxFrame   = 1 << 10 // and for what is around them
)

// Options describe a service.
type Options struct {
	URL     string        // http or https
	Header  http.Header   // sent with each request, such as Authorization
	Timeout time.Duration // for one request with its answer; 0 is DefaultTimeout
	// Default gives contrasts and empty sides, and the scores where the service fails; nil is a fingerprint.Lexical without
	// opposites of a policy.
	Default fingerprint.Similarity
	Logger  *slog.Logger // nil is slog.Default
}

// Service is a fingerprint.Similarity. It is safe for concurrent use.
type Service struct {
	url      string
	header   http.Header
	client   http.Client
	standard fingerprint.Similarity
	logger   *slog.Logger
}

var _ fingerprint.Similarity = (*Service)(nil)

// New fails when the URL is none of an HTTP service. It does not ask the service.
func New(o Options) (*Service, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("similarity service: the URL must be one of http or https with a host, such as http://127.0.0.1:8090/scores")
	}
	if o.Timeout < 0 {
		return nil, fmt.Errorf("similarity service: the timeout %v is negative", o.Timeout)
	}
	s := &Service{url: o.URL, header: o.Header.Clone(), standard: o.Default, logger: cmp.Or(o.Logger, slog.Default())}
	if s.header == nil {
		s.header = http.Header{}
	}
	s.header.Set("Content-Type", "application/json")
	s.header.Set("Accept", "application/json")
	if s.standard == nil {
		s.standard = fingerprint.NewLexical(nil)
	}
	s.client = http.Client{
		Timeout: cmp.Or(o.Timeout, DefaultTimeout),
		// No proxy of the environment, and no place that the service names, gets to see the texts.
		Transport:     &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, nil
}

// Close ends idle connections.
func (s *Service) Close() { s.client.CloseIdleConnections() }

// Compare fails only where the default does.
func (s *Service) Compare(ctx context.Context, pairs []fingerprint.Wording) ([]fingerprint.Likeness, error) {
	likenesses, err := s.standard.Compare(ctx, pairs)
	if err != nil {
		return nil, err
	}
	if len(likenesses) != len(pairs) {
		return nil, fmt.Errorf("similarity service: the default gives %d likenesses for %d pairs", len(likenesses), len(pairs))
	}
	var open []int // the pairs whose score counts
	var asked request
	for i, l := range likenesses {
		if l.Contrast == "" && !l.Empty {
			open = append(open, i)
			asked.Pairs = append(asked.Pairs, wording(pairs[i]))
		}
	}
	if len(open) == 0 {
		return likenesses, nil
	}
	scores, err := s.ask(ctx, asked)
	if err != nil {
		s.logger.WarnContext(ctx, "the similarity service does not help, the default compares", "pairs", len(open), "error", err)
		return likenesses, nil
	}
	for i, score := range scores {
		likenesses[open[i]].Score = score
	}
	return likenesses, nil
}

type request struct {
	Pairs []wording `json:"pairs"`
}

type wording struct {
	Earlier string `json:"earlier"`
	Now     string `json:"now"`
}

// ask sends one request. Its errors hold nothing of the texts and nothing that the service has written.
func (s *Service) ask(ctx context.Context, asked request) ([]float64, error) {
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, errors.New("the request cannot be written")
	}
	if len(body) > maxRequest {
		return nil, fmt.Errorf("the texts are %d bytes, more than the %d that are sent", len(body), maxRequest)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	r.Header = s.header.Clone()
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %d and not 200", answer.StatusCode)
	}
	most := int64(maxFrame + maxScore*len(asked.Pairs))
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", withoutURL(err))
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("the answer has more than %d bytes", most)
	}
	return parseScores(text, len(asked.Pairs))
}

func parseScores(text []byte, want int) ([]float64, error) {
	var given struct {
		Scores []*float64 `json:"scores"`
	}
	if json.Unmarshal(text, &given) != nil {
		return nil, errors.New(`the answer is not of the form {"scores": [0.5]}`)
	}
	if len(given.Scores) != want {
		return nil, fmt.Errorf("the answer has %d scores for %d pairs", len(given.Scores), want)
	}
	scores := make([]float64, want)
	for i, score := range given.Scores {
		if score == nil || !(*score >= 0 && *score <= 1) {
			return nil, fmt.Errorf("score %d is no number between 0 and 1", i)
		}
		scores[i] = *score
	}
	return scores, nil
}

// withoutURL drops the URL from an error, which may hold a password.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
