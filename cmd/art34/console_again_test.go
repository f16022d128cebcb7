package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestAgain: what a console that was stopped has left is looked for at once, then
// every minute, and no more once it ends.
func TestAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		times, begun := []time.Duration{}, time.Now()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			again(ctx, applyEvery, func() {
				times = append(times, time.Since(begun))
				time.Sleep(5 * time.Second) // as long as the work takes: none overtakes another
			})
		}()
		synctest.Wait()
		if len(times) != 1 || times[0] != 0 {
			t.Errorf("at once: %v", times)
		}
		time.Sleep(64 * time.Second)
		synctest.Wait()
		if len(times) != 1 {
			t.Errorf("before the minute is over: %v", times)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(times) != 2 || times[1] != 65*time.Second {
			t.Errorf("after it: %v", times)
		}
		stop()
		<-ended
		time.Sleep(time.Hour)
		if len(times) != 2 {
			t.Errorf("after its end: %v", times)
		}
	})
}
