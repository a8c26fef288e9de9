package signin

import "sitthi/internal/seal"

// Sealed is what this package seals, for whoever seals it anew.
var Sealed = []seal.Field{
	{Table: "factors", Column: "secret_sealed", Key: []string{"id"}, Place: secretPlaces},
	{Table: "thaid_flows", Column: "sealed", Key: []string{"state"}, Place: thaidPlaces},
}

// secretPlaces is where the secrets of apps are sealed for.
const secretPlaces = "signin.factor"
