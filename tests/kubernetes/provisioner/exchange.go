package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"sort"
	"strings"
	"time"
)

// report turns the bytes of some connections into exchanges, in the order in which the requests went out.
func (t *Tap) report(first, last int) ([]Exchange, []Connection) {
	t.mu.Lock()
	tapped := t.connections[first:last]
	t.mu.Unlock()
	exchanges, connections := []Exchange{}, []Connection{}
	for i, c := range tapped {
		c.mu.Lock()
		connection := Connection{Number: first + i, Opened: t.since(c.opened), ClosedBy: c.closedBy}
		if c.closedBy == "" {
			connection.ClosedBy = "nobody"
		} else {
			connection.Closed = t.since(c.closed)
		}
		for _, turn := range turns(c.chunks) {
			exchanges = append(exchanges, t.exchange(turn, c, first+i))
		}
		c.mu.Unlock()
		connections = append(connections, connection)
	}
	sort.SliceStable(exchanges, func(i, j int) bool { return exchanges[i].At < exchanges[j].At })
	return exchanges, connections
}

func (t *Tap) since(moment time.Time) float64 { return moment.Sub(t.began).Seconds() }

// turn is all that went out until the next answer, and that answer. The client never pipelines.
type turn struct {
	request, response []byte
	began, ended      time.Time
}

func turns(chunks []chunk) []turn {
	var all []turn
	wasOut := false
	for _, c := range chunks {
		if c.out && !wasOut {
			all = append(all, turn{began: c.at, ended: c.at})
		}
		if len(all) == 0 {
			continue // bytes from the server before any request
		}
		current := &all[len(all)-1]
		if c.out {
			current.request = append(current.request, c.data...)
		} else {
			current.response = append(current.response, c.data...)
			current.ended = c.at
		}
		wasOut = c.out
	}
	return all
}

func (t *Tap) exchange(turn turn, c *tapped, number int) Exchange {
	e := Exchange{
		Step: c.step, Connection: number, Lost: c.lost,
		At: t.since(turn.began), Took: turn.ended.Sub(turn.began).Seconds(),
	}
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(turn.request)))
	if err != nil {
		return e // not plain HTTP: the bytes of a TLS connection say nothing
	}
	e.Method, e.Path, e.RequestHeaders = request.Method, request.RequestURI, flat(request.Header)
	e.RequestHeaders["Host"] = request.Host
	e.RequestBody = all(request.Body)
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(turn.response)), request)
	if err != nil {
		return e // the server closed without an answer
	}
	e.Status, e.ResponseHeaders, e.ResponseBody = response.StatusCode, flat(response.Header), all(unpacked(response))
	return e
}

// unpacked is the body without the compression that Go's client asks for, and undoes, by itself.
func unpacked(response *http.Response) io.ReadCloser {
	if response.Header.Get("Content-Encoding") == "gzip" {
		if plain, err := gzip.NewReader(response.Body); err == nil {
			return plain
		}
	}
	return response.Body
}

func all(body io.ReadCloser) string {
	defer body.Close()
	text, _ := io.ReadAll(body)
	return string(text)
}

func flat(header http.Header) map[string]string {
	m := make(map[string]string, len(header))
	for name, values := range header {
		m[name] = strings.Join(values, ", ")
	}
	return m
}
