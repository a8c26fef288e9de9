package thai

import (
	"encoding/hex"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// sorter is a collator with the buffer it writes to; neither may be shared
// between goroutines.
type sorter struct {
	collator *collate.Collator
	buffer   collate.Buffer
}

var sorters = sync.Pool{New: func() any {
	return &sorter{collator: collate.New(language.Thai, collate.Numeric)}
}}

// SortKey returns a key to store beside s, a column of TEXT: keys compare
// bytewise as a Thai dictionary orders the texts, where เ แ โ ใ ไ count after
// the consonant they are written before, and กลุ่มที่ 2 before กลุ่มที่ 10. A key is lower-case hex, so that every
// collation of every engine orders it alike. The keys of one version of
// golang.org/x/text compare with each other only.
func SortKey(s string) string {
	srt := sorters.Get().(*sorter)
	defer sorters.Put(srt)
	srt.buffer.Reset()
	return hex.EncodeToString(srt.collator.KeyFromString(&srt.buffer, clean(s)))
}
