package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// staticPath carries the version of all files together as a folder, so that what one file names relatively has it
// too, and no browser ever mixes two versions.
const staticPath = "/static/{version}/{name...}"

// contentTypes are the kinds of files a page is made of; the machine's own table is not to be relied on.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".woff2": "font/woff2",
}

// static answers with the files that pages are made of, compressed beforehand.
type static struct {
	hash  string
	files map[string]asset
}

type asset struct {
	kind          string
	plain, packed []byte // packed is nil where packing gains nothing
}

func newStatic() (*static, error) {
	s := &static{files: map[string]asset{}}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		kind, ok := contentTypes[path.Ext(name)]
		if err != nil || d.IsDir() || !ok {
			return err
		}
		plain, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		packed, err := pack(plain)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(plain))
		sum.Write(plain)
		s.files[strings.TrimPrefix(name, "static/")] = asset{kind, plain, packed}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load static files: %w", err)
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	return s, nil
}

// pack compresses a file, or answers nil when that saves less than a tenth.
func pack(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(plain)
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	if b.Len() > len(plain)*9/10 {
		return nil, nil
	}
	return b.Bytes(), nil
}

func (s *static) version(string) string { return s.hash }

// ServeHTTP implements http.Handler.
func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := s.files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if r.PathValue("version") == s.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", file.kind)
	content := file.plain
	if file.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			content = file.packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(content); err != nil {
		panic(http.ErrAbortHandler) // the reader has gone; let the connection go too
	}
}

func acceptsGzip(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept-Encoding"), ","), func(offer string) bool {
		name, weight, _ := strings.Cut(strings.TrimSpace(offer), ";")
		return strings.TrimSpace(name) == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0"
	})
}
