package console

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// This file holds what spares a program that asks every minute an answer that it has.

// tagged reports whether the answer carries an ETag: figures and texts. What is about
// somebody is kept nowhere, and has none.
func (e *endpoint) tagged() bool {
	return e.method == http.MethodGet && !slices.Contains([]Action{ActLookUp, ActHelp, ActSecond, ActPublish, ActCohort}, e.may)
}

// unstamped is an answer that says when it was asked, without that.
type unstamped interface{ unstamped() any }

// unchanged answers 304 if the program has the answer already (RFC 9110 section
// 13.1.2). The tag is a weak one: the time in the answer may differ.
func (a *api) unchanged(v *visit, answer any) bool {
	if u, ok := answer.(unstamped); ok {
		answer = u.unstamped()
	}
	plain, err := plainJSON(answer)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(plain)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	v.w.Header().Set("ETag", tag)
	v.w.Header().Set("Cache-Control", "private, no-cache")
	for _, line := range v.r.Header.Values("If-None-Match") {
		for one := range strings.SplitSeq(line, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				v.w.WriteHeader(http.StatusNotModified)
				return true
			}
		}
	}
	return false
}
