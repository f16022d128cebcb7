package pipeline

import "slices"

// Set returns the distinct non-empty values of list, sorted. Lists of codes are
// kept this way everywhere, so that equal sets are equal slices.
func Set(list []string) []string {
	out := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(out)
	return slices.Compact(out)
}
