// Package signin lets officers in: it proves who they are by password, keeps their sessions and slows down who guesses.
package signin
