// Package client speaks the HTTP API of a guard, and holds the API's JSON shapes, which the server uses too.
//
// It knows what a user of the API knows: it imports no other package of this module, and api/openapi.yaml describes
// every type here. All methods of a Client may be called at the same time.
//
// A Client never repeats a request by itself. To repeat one is safe all the same: that is what the guard is for.
package client
