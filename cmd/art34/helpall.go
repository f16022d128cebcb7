package main

import (
	"context"
)

type helpAllCmd struct{}

func (helpAllCmd) Run(ctx context.Context, a *app) error { return nil }
