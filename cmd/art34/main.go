package main

import (
	"context"
	"os"
	_ "time/tzdata" // campaigns name time zones; a small server or image may have none
)

func main() {
	spendMemory()
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
