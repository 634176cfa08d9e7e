package main

import "encoding/json"

// Case is a small Kubernetes and what happens in it.
type Case struct {
	Name string `json:"name"`
	// Objects are ordinary manifests: secrets, classes, claims, and whatever an earlier run left, volumes included.
	Objects []json.RawMessage `json:"objects"`
	Steps   []Step            `json:"steps"`
	// AtOnce takes all steps at the same time, as the controllers do with many claims.
	AtOnce bool `json:"at_once"`
}

// Step is one call of the plug-in on behalf of a claim.
type Step struct {
	Do    string `json:"do"`    // provision, expand or delete
	Claim string `json:"claim"` // namespace/name
	To    string `json:"to"`    // expand: the size that the claim asks for now
	Lose  []Loss `json:"lose"`  // answers of the server that never arrive
}

// Loss is an answer that the server gave and the plug-in never got: the connection breaks instead.
type Loss struct {
	Request string `json:"request"` // how the request line begins, for instance "GET /queue/"
	Nth     int    `json:"nth"`     // the first such request of the step is 1
}

// Result is what came of a case.
type Result struct {
	Name        string            `json:"name"`
	Steps       []StepResult      `json:"steps"`
	Objects     []json.RawMessage `json:"objects"` // fit for the next run
	Exchanges   []Exchange        `json:"exchanges"`
	Connections []Connection      `json:"connections"`
}

// StepResult is what the plug-in returned.
type StepResult struct {
	Do      string  `json:"do"`
	Claim   string  `json:"claim"`
	Error   string  `json:"error"` // empty: it succeeded
	Size    string  `json:"size"`  // capacity of the volume afterwards, as Kubernetes would store it
	Seconds float64 `json:"seconds"`
}

// Exchange is one request and its answer. Status 0 means that none came.
type Exchange struct {
	Step            int               `json:"step"` // index, or -1 where steps ran at once
	Connection      int               `json:"connection"`
	At              float64           `json:"at"`   // seconds since the start of the program
	Took            float64           `json:"took"` // seconds from the request's first byte to the answer's last
	Method          string            `json:"method"`
	Path            string            `json:"path"`
	RequestHeaders  map[string]string `json:"request_headers"`
	RequestBody     string            `json:"request_body"`
	Status          int               `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	ResponseBody    string            `json:"response_body"`
	Lost            bool              `json:"lost"` // the plug-in did not get this answer
}

// Connection is one TCP connection, which the plug-in opens anew for every call.
type Connection struct {
	Number   int     `json:"number"`
	Opened   float64 `json:"opened"`
	Closed   float64 `json:"closed"`    // 0: still open at the end
	ClosedBy string  `json:"closed_by"` // server, client or nobody
}
