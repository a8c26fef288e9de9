//go:build !race

package grant

// racing tells whether the race detector watches.
const racing = false
