package legacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"sitthi/internal/problem"
	"sitthi/internal/store"
)

// pieceSize is how much of a file is sealed at a time: what an upload holds in memory.
const pieceSize = 1 << 20

func piecePlace(id string, number int64) string { return numbered(piecePlaces, id, number) }

// keepFile seals what the reader gives, piece by piece, each in a short transaction of its own: citizen IDs lie nowhere
// in the clear, not even while the file is on its way, and a slow upload keeps nobody waiting. It fails with Invalid for a
// file that is empty or too big.
func (d *Desk) keepFile(ctx context.Context, id string, r io.Reader) (size int64, sum string, err error) {
	digest := sha256.New()
	piece := make([]byte, pieceSize)
	for number := int64(0); ; number++ {
		n, err := io.ReadFull(r, piece)
		if n > 0 {
			if size += int64(n); size > d.Limits.File {
				return 0, "", badFile("legacy.file_too_big", "most", d.Limits.File>>20)
			}
			if err := d.keepPiece(ctx, id, number, piece[:n], digest); err != nil {
				return 0, "", err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if size == 0 {
				return 0, "", badFile("legacy.file_empty")
			}
			return size, hex.EncodeToString(digest.Sum(nil)), nil
		case err != nil:
			return 0, "", fmt.Errorf("receive file: %w", err)
		}
	}
}

func (d *Desk) keepPiece(ctx context.Context, id string, number int64, piece []byte, digest hash.Hash) error {
	digest.Write(piece) // a hash takes everything
	sealed := d.Ring.Seal(piecePlace(id, number), piece)
	return d.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO legacy_files (import_id, number, sealed) VALUES ($1, $2, $3)`, id, number, sealed); err != nil {
			return fmt.Errorf("keep piece of file: %w", err)
		}
		return nil
	})
}

func badFile(key string, args ...any) error {
	var check problem.Check
	check.Fail("file", key, args...)
	return check.Err()
}

// sealedFile reads a kept file from any place in it. It is for one goroutine.
type sealedFile struct {
	ctx    context.Context
	desk   *Desk
	id     string
	size   int64
	pieces [2]piece // those read last: the middle of a zip, and its end
}

type piece struct {
	number int64
	plain  []byte
}

func (d *Desk) openFile(ctx context.Context, id string, size int64) *sealedFile {
	return &sealedFile{ctx: ctx, desk: d, id: id, size: size}
}

// ReadAt implements io.ReaderAt.
func (f *sealedFile) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		if at >= f.size {
			return n, io.EOF
		}
		plain, err := f.piece(at / pieceSize)
		if err != nil {
			return n, err
		}
		copied := copy(p[n:], plain[min(at%pieceSize, int64(len(plain))):])
		if copied == 0 {
			return n, io.ErrUnexpectedEOF
		}
		n, at = n+copied, at+int64(copied)
	}
	return n, nil
}

func (f *sealedFile) piece(number int64) ([]byte, error) {
	for i := range f.pieces {
		if f.pieces[i].plain != nil && f.pieces[i].number == number {
			if i > 0 {
				f.pieces[0], f.pieces[1] = f.pieces[1], f.pieces[0]
			}
			return f.pieces[0].plain, nil
		}
	}
	var sealed []byte
	err := f.desk.DB.Read(f.ctx, func(tx *store.Tx) error {
		return tx.QueryRow(f.ctx, `SELECT sealed FROM legacy_files WHERE import_id = $1 AND number = $2`, f.id, number).Scan(&sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: read piece: %w", errMachine, err)
	}
	plain, err := f.desk.Ring.Open(piecePlace(f.id, number), sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: open piece: %w", errMachine, err)
	}
	f.pieces[1] = f.pieces[0]
	f.pieces[0] = piece{number, plain}
	return plain, nil
}
