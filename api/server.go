package api

import (
	"net/http"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Server makes an HTTP server whose limits fit the API: a slow or idle caller cannot hold a connection, and one who waits
// for an equal call can.
func Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,               // for header and body; net/http lifts it once the body was read
		WriteTimeout:      guard.MaxWait + 25*time.Second, // from the header on: the longest wait, and the answer
		IdleTimeout:       2 * time.Minute,                // of a connection between requests
		MaxHeaderBytes:    32 << 10,
	}
}
