package api

import (
	_ "embed" // for the contract
	"net/http"
)

//go:embed openapi.yaml
var openapi []byte

// contract is GET /openapi.yaml.
var contract http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml") // RFC 9512
	_, _ = w.Write(openapi)                            // a caller who left is no error of ours
})
