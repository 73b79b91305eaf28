package main

import (
	"log/slog"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/fingerprint/httpsimilarity"
)

// similarity is the operator's service for wordings; nil where none is set.
func (c *Config) similarity(log *slog.Logger) (fingerprint.Similarity, error) {
	if c.SimilarityURL == "" {
		return nil, nil
	}
	service, err := httpsimilarity.New(httpsimilarity.Options{URL: c.SimilarityURL, Timeout: c.SimilarityTimeout, Logger: log})
	if err != nil {
		return nil, err // not a nil *Service in an interface
	}
	return service, nil
}
