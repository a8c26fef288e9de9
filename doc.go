// Package sitthi is the root of the house, where only the test of its floor plan lives.
package sitthi
