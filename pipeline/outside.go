package pipeline

// Outside counts what people and the post reported about the notices of a campaign
// that are in force.
type Outside struct {
	Told     int64            // primary notices that are informed by other means
	Returned map[string]int64 // letters that came back, by the code of the reason
	Notified int64            // unreachable notices for which a public notice stands
}

// Letters is how many letters came back, one with two reasons counted twice.
func (o Outside) Letters() (n int64) {
	for _, x := range o.Returned {
		n += x
	}
	return n
}
