package storetest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"sitthi/internal/store"
)

// Listen opens a PostgreSQL database once more, through a wire that counts the statements sent along it.
func Listen(t *testing.T, env *Env) (db *store.DB, statements func() int64) {
	t.Helper()
	server, err := url.Parse(env.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := server.Query()
	port := server.Port()
	if port == "" {
		port = "5432"
	}
	if q.Get("port") != "" {
		port = q.Get("port")
	}
	socket := ".s.PGSQL." + port
	behind := filepath.Join(q.Get("host"), socket)
	dir := t.TempDir()
	wire, err := net.Listen("unix", filepath.Join(dir, socket))
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64
	go func() {
		for {
			client, err := wire.Accept()
			if err != nil {
				return // closed with the test
			}
			go tap(client, behind, &count)
		}
	}()
	t.Cleanup(func() { wire.Close() })
	q.Set("host", dir)
	server.RawQuery = q.Encode()
	db, err = store.Open(t.Context(), store.Options{URL: server.String(), Clock: env.Clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, count.Load
}

// tap carries one connection and counts what the client has executed: Execute and Query messages of the protocol.
func tap(client net.Conn, behind string, count *atomic.Int64) {
	defer client.Close()
	server, err := net.Dial("unix", behind)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	from := bufio.NewReader(client)
	kind := byte(0) // the first message has no kind
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint32(size[:])-4)
		if _, err := io.ReadFull(from, message); err != nil {
			return
		}
		if kind == 'E' || kind == 'Q' {
			count.Add(1)
		}
		if kind != 0 {
			if _, err := server.Write([]byte{kind}); err != nil {
				return
			}
		}
		if _, err := server.Write(append(size[:], message...)); err != nil {
			return
		}
		if kind, err = from.ReadByte(); err != nil {
			return
		}
	}
}
