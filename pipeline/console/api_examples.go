package console

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file holds what the document says beside the schemas: examples, which a test
// holds against them, and what can go wrong.

// example is a value of a type as it may look in JSON. eg is what a field says.
func example(t reflect.Type, eg string) any {
	if t == reflect.TypeFor[time.Time]() {
		return "2026-01-20T08:00:00Z"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return example(t.Elem(), eg)
	case reflect.Bool:
		return eg == "true"
	case reflect.Int, reflect.Int64:
		if n, err := strconv.Atoi(eg); err == nil {
			return n
		}
		return 1
	case reflect.Float64:
		return 1.5
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String && eg == "" {
			return []any{}
		}
		return []any{example(t.Elem(), eg)}
	case reflect.Map:
		if t.Elem().Kind() == reflect.Int64 {
			return object{"other": example(t.Elem(), eg)}
		}
		return object{"fr": example(t.Elem(), eg)}
	case reflect.Struct:
		return exampleOf(t)
	}
	return eg
}

func exampleOf(t reflect.Type) object {
	o := object{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		eg := f.Tag.Get("eg")
		if first, _, ok := strings.Cut(f.Tag.Get("enum"), "|"); ok && eg == "" {
			eg = first
		}
		if eg == "" && options == "omitempty" {
			continue // what is said by leaving it out
		}
		o[key] = example(f.Type, eg)
	}
	return o
}

func inPathKind(name string) string {
	if slices.Contains([]string{"call", "notice", "attempt", "correction", "qa", "query"}, name) {
		return "integer"
	}
	return "string"
}

func inPathExample(name string) any {
	switch name {
	case "name":
		return "muguet"
	case "run":
		return "R000001"
	case "provider":
		return "orange"
	}
	return 1
}

func personNote(a Action) string {
	switch {
	case needsAccount(a):
		return "Who decides: the login of an account of the console that may do so."
	case needsPerson(a):
		return "Who has the customer on the phone: their login, here or in a system of the company."
	}
	return "For whom it is done, if for anybody; the record names them beside the program."
}

// scopeTags are the scopes with what they are for.
func scopeTags() (list []any) {
	for _, s := range Scopes() {
		for _, p := range Permissions() {
			if p.Action == s {
				list = append(list, object{"name": string(s), "description": p.Does})
			}
		}
	}
	return list
}

// answersOf are the answers of an operation.
func answersOf(e endpoint, content object) object {
	ok := object{"description": "Done.", "content": object{"application/json": content}}
	all := object{"200": ok, "default": object{"$ref": "#/components/responses/Problem"}}
	if e.tagged() {
		ok["headers"] = object{"ETag": object{"description": "Of what is answered, without the time at which it was asked.", "schema": object{"type": "string"}}}
		all["304"] = object{"description": "Nothing is new."}
	}
	for _, status := range problemsOf(e) {
		all[strconv.Itoa(status)] = object{"$ref": "#/components/responses/" + problemName(status)}
	}
	return all
}

// problemsOf are the statuses that an operation refuses with.
func problemsOf(e endpoint) []int {
	list := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if needsPerson(e.may) || e.method != http.MethodGet {
		list = append(list, http.StatusBadRequest)
	}
	if strings.Contains(e.path, "{") {
		list = append(list, http.StatusNotFound)
	}
	if e.method != http.MethodGet {
		list = append(list, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	return list
}

func problemName(status int) string {
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// problems are the refusals that the document refers to.
func problems(schema object) object {
	of := func(about string, status int, code, detail string) object {
		return object{"description": about, "content": object{"application/problem+json": object{"schema": schema, "example": problem9457(status, code, detail, "")}}}
	}
	all := object{"Problem": of("What is wrong.", http.StatusInternalServerError, "failed", "internal error")}
	for _, p := range []struct {
		status             int
		about, code, words string
	}{
		{http.StatusBadRequest, "On-Behalf-Of or Idempotency-Key is missing or has another form.", "on-behalf-of", "this is done for somebody: say for whom"},
		{http.StatusUnauthorized, "No token, or one that is not in force.", "token", "there is no token in the request, or it is not in force"},
		{http.StatusForbidden, "Not for this token, or not for whom it acts.", "scope", "this token is not for pause"},
		{http.StatusNotFound, "There is no such thing, or it is not for this token.", "not-found", "there is no such thing, or it is not for this token"},
		{http.StatusConflict, "Refused as things are; code says why.", "own-proposal", "nobody is the second pair of eyes on their own correction"},
		{http.StatusRequestEntityTooLarge, "The body is too large.", "too-large", "the body of a request is at most 64 kB"},
		{http.StatusUnsupportedMediaType, "The body is something else than JSON.", "content-type", "the body of a request is application/json"},
		{http.StatusUnprocessableEntity, "The request has faults; errors says which. Or its idempotency key belongs to another.", "invalid", "the request has faults"},
		{http.StatusTooManyRequests, "Too often, or more look-ups than there may be.", "quota", "you have looked up as many customers as one person answers"},
		{http.StatusServiceUnavailable, "A service is away; nothing was changed.", "away", "a service is away; nothing was changed"},
	} {
		r := of(p.about, p.status, p.code, p.words)
		if p.status == http.StatusTooManyRequests || p.status == http.StatusServiceUnavailable {
			r["headers"] = object{"Retry-After": object{"$ref": "#/components/headers/RetryAfter"}}
		}
		all[problemName(p.status)] = r
	}
	return all
}
