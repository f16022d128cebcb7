package console

// This file holds what stops and starts a campaign.

func controlRoutes() []route { return nil }

func printRoutes() []route { return nil }

func prepareRoutes() []route { return nil }

func auditRoutes() []route { return nil }
