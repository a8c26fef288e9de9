package proof

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"sync"
)

// blockedList is the packed list of passwords people choose most; blocked.md says where it comes from.
//
//go:embed blocked.txt.gz
var blockedList []byte

// blocklist unpacks the list once, each entry folded and also without the digits and symbols around it, as common
// looks them up.
var blocklist = sync.OnceValues(func() (map[string]struct{}, error) {
	packed, err := gzip.NewReader(bytes.NewReader(blockedList))
	if err != nil {
		return nil, fmt.Errorf("read blocked passwords: %w", err)
	}
	blocked := make(map[string]struct{}, 64<<10)
	lines := bufio.NewScanner(packed)
	for lines.Scan() {
		entry := fold(lines.Text())
		blocked[entry] = struct{}{}
		if word := trim(entry); longEnough(word) {
			blocked[word] = struct{}{}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read blocked passwords: %w", err)
	}
	return blocked, nil
})
