package pipeline

// Task is a wake-up call that a queue carries: it says what to look up in the
// ledger, and nothing may be lost with it. Payload holds ids only.
type Task struct {
	Kind    string // names the handler
	ID      string // a task whose ID is waiting or running already is not added again
	Lane    Lane
	Payload []byte // JSON
}
