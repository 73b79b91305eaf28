package api

import (
	_ "embed" // for the contract
	"net/http"

	"github.com/onceguard/onceguard/policy"
)

//go:embed openapi.yaml
var openapi []byte

// contract is GET /openapi.yaml.
var contract http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml") // RFC 9512
	_, _ = w.Write(openapi)                            // a caller who left is no error of ours
})

// language is GET /schemas/policy.json.
var language http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json") // JSON Schema 2020-12, section 15.1
	_, _ = w.Write(policy.LanguageSchema())
})
