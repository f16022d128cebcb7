package main

import (
	"context"
	"os"
)

func main() {
	spendMemory()
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
