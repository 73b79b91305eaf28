package api

import (
	"context"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// usualSpan is what tallies cover when the query says nothing, and maxSpan the most.
const (
	usualSpan = 24 * time.Hour
	maxSpan   = 31 * 24 * time.Hour
)

// talliesRequest is the query of GET /v1/tallies.
type talliesRequest struct{ from, until time.Time }

func (r *talliesRequest) bind(c echo.Context) (err error) {
	values := c.QueryParams()
	if err = known(values, "from", "until"); err != nil {
		return err
	}
	if r.from, err = instant(values, "from"); err != nil {
		return err
	}
	if r.until, err = instant(values, "until"); err != nil {
		return err
	}
	if r.until.IsZero() {
		r.until = time.Now()
		if !r.from.IsZero() {
			r.until = r.from.Add(usualSpan)
		}
	}
	if r.from.IsZero() {
		r.from = r.until.Add(-usualSpan)
	}
	if r.until.Sub(r.from) > maxSpan {
		return invalid("from", "is more than 31 days before until; ask for less at a time")
	}
	return nil
}

// instant reads a time of the query; the zero time where there is none.
func instant(values url.Values, name string) (time.Time, error) {
	text := values.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, invalid(name, "must be a time such as 2026-11-23T09:00:00Z")
	}
	return t, nil
}

// tallies is GET /v1/tallies.
func (a *API) tallies(ctx context.Context, p guard.Principal, r talliesRequest) (client.Tallies, error) {
	list, err := a.guard.Tallies(ctx, p, r.from, r.until)
	if err != nil {
		return client.Tallies{}, err
	}
	w := client.Tallies{BucketMS: guard.TallyBucket.Milliseconds(), Tallies: make([]client.Tally, len(list))}
	for i, t := range list {
		w.Tallies[i] = client.Tally{Start: t.Start, Tool: t.Tool, Kind: t.Kind, Code: string(t.Code), Count: t.Count}
	}
	return w, nil
}
