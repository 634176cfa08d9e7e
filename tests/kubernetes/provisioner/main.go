// Provisioner drives Kubernetes' own in-tree volume plug-in kubernetes.io/glusterfs, unmodified, against a
// heketi-compatible server, with an in-memory Kubernetes around it.
//
// It reads a JSON list of cases (see case.go) and writes a JSON list of results: what the plug-in returned, the
// objects that it left in Kubernetes, and every HTTP exchange that it had with the server, taken off its sockets.
// It judges nothing; whoever reads the results does.
//
//	provisioner [-cases FILE] [-delay 50ms] [-settle 5s] [-v 4]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/klog/v2"
)

func main() {
	klog.InitFlags(nil)
	cases := flag.String("cases", "-", "file of cases; - is standard input")
	settle := flag.Duration("settle", 0, "wait so long at the end for the server to close idle connections")
	delay := flag.Duration("delay", 0, "hold back each request for so long, as a slow network does")
	flag.Parse()

	if err := run(*cases, *delay, *settle, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "provisioner:", err)
		os.Exit(1)
	}
}

func run(file string, delay, settle time.Duration, out io.Writer) error {
	cases, err := readCases(file)
	if err != nil {
		return err
	}
	tap := newTap(delay)
	stories := make([]*story, 0, len(cases))
	for _, c := range cases {
		s, err := newStory(c, tap)
		if err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		s.tell()
		stories = append(stories, s)
	}
	// Results are made after the last case, so that they know what became of the connections of the first.
	tap.settle(settle)
	results := make([]Result, 0, len(stories))
	for _, s := range stories {
		r, err := s.result()
		if err != nil {
			return fmt.Errorf("case %q: %w", s.Name, err)
		}
		results = append(results, r)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	return encoder.Encode(results)
}

func readCases(file string) ([]Case, error) {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	var cases []Case
	if err := decoder.Decode(&cases); err != nil {
		return nil, fmt.Errorf("reading cases: %w", err)
	}
	return cases, nil
}
