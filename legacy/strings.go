package legacy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// stringStore keeps the shared strings of a workbook, which may be as many as its cells: in a file without a name,
// encrypted with a key that nobody keeps, of which a few blocks are in memory at a time. Cells refer to strings nearly in
// the order in which these first occur, so that most are found there.
type stringStore struct {
	file   *os.File
	seal   cipher.AEAD
	ends   []int64 // of the blocks in the file
	count  int64
	block  []byte // being filled
	filled int
	plain  map[int64][]string
	order  []int64 // of the blocks in memory, the one used longest ago first
}

const (
	blockStrings = 512
	blocksKept   = 24
)

func newStringStore() (*stringStore, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails: crypto/rand stops the program rather than answer with weak bytes
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: keep strings: %w", errMachine, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: keep strings: %w", errMachine, err)
	}
	file, err := os.CreateTemp("", "sitthi-strings-*")
	if err != nil {
		return nil, fmt.Errorf("%w: keep strings: %w", errMachine, err)
	}
	if err := os.Remove(file.Name()); err != nil { // it lives as long as it is open, and no longer than the program
		return nil, errors.Join(fmt.Errorf("%w: keep strings: %w", errMachine, err), file.Close())
	}
	return &stringStore{file: file, seal: aead, plain: map[int64][]string{}}, nil
}

// add keeps the next string.
func (s *stringStore) add(text string) error {
	s.block = binary.AppendUvarint(s.block, uint64(len(text)))
	s.block = append(s.block, text...)
	s.count++
	if s.filled++; s.filled == blockStrings {
		return s.done()
	}
	return nil
}

// done writes the block that is being filled.
func (s *stringStore) done() error {
	if s.filled == 0 {
		return nil
	}
	number := int64(len(s.ends))
	sealed := s.seal.Seal(nil, s.nonce(number), s.block, nil)
	if _, err := s.file.WriteAt(sealed, s.start(number)); err != nil {
		return fmt.Errorf("%w: keep strings: %w", errMachine, err)
	}
	s.ends = append(s.ends, s.start(number)+int64(len(sealed)))
	s.block, s.filled = s.block[:0], 0
	return nil
}

// nonce is the block's number: the key is used for one file, in which each block is written once.
func (s *stringStore) nonce(number int64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, s.seal.NonceSize()-8), uint64(number))
}

func (s *stringStore) start(number int64) int64 {
	if number == 0 {
		return 0
	}
	return s.ends[number-1]
}

// at answers a string by its number.
func (s *stringStore) at(n int64) (string, error) {
	if n < 0 || n >= s.count {
		return "", fmt.Errorf("%w: string %d of %d", errPart, n, s.count)
	}
	number := n / blockStrings
	block, ok := s.plain[number]
	if !ok {
		var err error
		if block, err = s.read(number); err != nil {
			return "", err
		}
		if len(s.order) == blocksKept {
			delete(s.plain, s.order[0])
			s.order = append(s.order[:0], s.order[1:]...)
		}
		s.plain[number] = block
		s.order = append(s.order, number)
	} else if last := len(s.order) - 1; s.order[last] != number {
		for i, o := range s.order {
			if o == number {
				s.order = append(append(s.order[:i], s.order[i+1:]...), number)
				break
			}
		}
	}
	return block[n%blockStrings], nil
}

func (s *stringStore) read(number int64) ([]string, error) {
	sealed := make([]byte, s.ends[number]-s.start(number))
	if _, err := s.file.ReadAt(sealed, s.start(number)); err != nil {
		return nil, fmt.Errorf("%w: read strings: %w", errMachine, err)
	}
	plain, err := s.seal.Open(sealed[:0], s.nonce(number), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: read strings: %w", errMachine, err)
	}
	list := make([]string, 0, blockStrings)
	for len(plain) > 0 {
		length, n := binary.Uvarint(plain)
		list = append(list, string(plain[n:n+int(length)]))
		plain = plain[n+int(length):]
	}
	return list, nil
}

func (s *stringStore) close() error { return s.file.Close() }
