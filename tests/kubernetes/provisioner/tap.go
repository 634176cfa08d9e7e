package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Tap sits below the plug-in's HTTP client, keeps every byte with its time, and loses answers on demand. The plug-in
// clones Go's default transport for each request, so that the dialer of the latter is where to sit.
type Tap struct {
	began time.Time
	delay time.Duration

	mu          sync.Mutex
	connections []*tapped
	step        int
	losses      []Loss
	seen        []int // how many requests matched each loss
}

type tapped struct {
	net.Conn
	tap  *Tap
	step int

	mu       sync.Mutex
	chunks   []chunk
	opened   time.Time
	closed   time.Time
	closedBy string
	lost     bool
}

// chunk is what one read or write carried.
type chunk struct {
	at   time.Time
	out  bool
	data []byte
}

func newTap(delay time.Duration) *Tap {
	t := &Tap{began: time.Now(), delay: delay, step: -1}
	transport := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return t.add(conn), nil
	}
	return t
}

func (t *Tap) add(conn net.Conn) *tapped {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &tapped{Conn: conn, tap: t, step: t.step, opened: time.Now()}
	t.connections = append(t.connections, c)
	return c
}

func (t *Tap) begin(step int, losses []Loss) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.step, t.losses, t.seen = step, losses, make([]int, len(losses))
}

func (t *Tap) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.connections)
}

// loses tells whether the answer to the request that begins so is to be lost.
func (t *Tap) loses(request []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, loss := range t.losses {
		if bytes.HasPrefix(request, []byte(loss.Request)) {
			t.seen[i]++
			if t.seen[i] == loss.Nth {
				return true
			}
		}
	}
	return false
}

// settle waits until no connection is open, or until the time is over.
func (t *Tap) settle(limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if !t.anyOpen() {
			return
		}
	}
}

func (t *Tap) anyOpen() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.connections {
		if c.isOpen() {
			return true
		}
	}
	return false
}

func (c *tapped) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closedBy == ""
}

func (c *tapped) Write(data []byte) (int, error) {
	time.Sleep(c.tap.delay)
	if isRequestLine(data) && c.tap.loses(data) {
		c.mu.Lock()
		c.lost = true
		c.mu.Unlock()
	}
	c.keep(true, data)
	return c.Conn.Write(data)
}

func (c *tapped) Read(data []byte) (int, error) {
	n, err := c.Conn.Read(data)
	if n > 0 {
		c.keep(false, data[:n])
	}
	if errors.Is(err, io.EOF) {
		c.end("server")
	}
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	if lost && n > 0 {
		c.end("loss")
		c.Conn.Close()
		return 0, errors.New("the answer was lost on purpose")
	}
	return n, err
}

func (c *tapped) Close() error {
	c.end("client")
	return c.Conn.Close()
}

func (c *tapped) keep(out bool, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chunks = append(c.chunks, chunk{at: time.Now(), out: out, data: bytes.Clone(data)})
}

// end notes who closed first; later closes are only the echo.
func (c *tapped) end(by string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closedBy == "" {
		c.closedBy, c.closed = by, time.Now()
	}
}

func isRequestLine(data []byte) bool {
	line, _, _ := strings.Cut(string(data), "\r\n")
	return strings.HasSuffix(line, " HTTP/1.1")
}
