package dispatch

import (
	"encoding/json"
	"fmt"

	"github.com/art34/art34/pipeline"
)

// Kinds of tasks.
const (
	kindEmail = "email"
	kindPrint = "print"
)

// chunk is how many notices a task carries at most.
const chunk = 100

// emailTask is the payload of a task of kind email: notice and generation, in
// turn. asynq writes the payloads of running tasks to Redis every five seconds,
// so they are kept short.
type emailTask struct {
	Campaign int64   `json:"c"`
	Tickets  []int64 `json:"t"`
}

// printTask is the payload of a task of kind print.
type printTask struct {
	Run int64 `json:"run"`
}

// newEmailTask wraps tickets. The ID holds the generation of the first one: each
// generation is taken once, so a second try has another ID and no orphan of the
// first can be in its way.
func newEmailTask(campaign int64, lane pipeline.Lane, tickets []pipeline.Ticket) pipeline.Task {
	p := emailTask{Campaign: campaign, Tickets: make([]int64, 0, 2*len(tickets))}
	for _, t := range tickets {
		p.Tickets = append(p.Tickets, t.Notice, t.Gen)
	}
	return pipeline.Task{
		Kind: kindEmail, Lane: lane, Payload: encode(p),
		ID: fmt.Sprintf("c%d:n%d:g%d", campaign, tickets[0].Notice, tickets[0].Gen),
	}
}

// newPrintTask asks for the drawing of a run. by sets the call of one process apart
// from that of an earlier one, whose orphan would be in its way.
func newPrintTask(run int64, by string) pipeline.Task {
	return pipeline.Task{Kind: kindPrint, Lane: pipeline.LaneNotice, Payload: encode(printTask{Run: run}), ID: pipeline.RunName(run) + ":" + by}
}

func readEmailTask(t pipeline.Task) (campaign int64, tickets []pipeline.Ticket, err error) {
	var p emailTask
	if err := json.Unmarshal(t.Payload, &p); err != nil || len(p.Tickets)%2 != 0 {
		return 0, nil, fmt.Errorf("task %s cannot be read", t.ID)
	}
	for i := 0; i < len(p.Tickets); i += 2 {
		tickets = append(tickets, pipeline.Ticket{Notice: p.Tickets[i], Gen: p.Tickets[i+1]})
	}
	return p.Campaign, tickets, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // integers and slices of them
	}
	return b
}
