package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file makes the OpenAPI 3.1 document from the table of endpoints: types of Go
// become schemas of JSON Schema 2020-12.

// object is a JSON object.
type object = map[string]any

const apiAbout = `What people do on the console, for programs of the company: a customer system that shows what was written to a customer, an intranet that shows how far a campaign is.

A request carries a token, ` + "`Authorization: Bearer art34_…`" + `, which an administrator makes for the operations that it needs. Bodies are JSON; nothing personal stands in an address. Errors are application/problem+json (RFC 9457) with a stable code. An unsafe request may carry an Idempotency-Key: asked again with the same key within a day, it is answered as the first time and nothing is done twice. Times are RFC 3339 in UTC.

What an agent or a lead does is done in their name: ` + "`On-Behalf-Of: LOGIN`" + ` says who it is, as the company's systems know them, and the record names program and person. Whoever has an account of the console does here what they may do there, and no more; decisions of a lead need such an account, and a program is one pair of eyes whomever it names. Calls, quotas of look-ups and locks are those of the person; the look-ups of a token bound all of them together. A campaign under an embargo, or that there is not, is 404 for everything.

Lists with next go on with the parameter after. Figures carry an ETag. 429 and 503 say in Retry-After when to ask again.`

// openAPI writes the document.
func openAPI(table []endpoint) ([]byte, error) {
	s := schemas{}
	problemRef, err := s.of(reflect.TypeFor[problemDetails]())
	if err != nil {
		return nil, err
	}
	paths := object{}
	for _, e := range table {
		op, err := s.operation(e)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", e.method, e.path, err)
		}
		at, _ := paths[e.path].(object)
		if at == nil {
			at = object{}
			paths[e.path] = at
		}
		at[strings.ToLower(e.method)] = op
	}
	return json.MarshalIndent(object{
		"openapi":           "3.1.0",
		"info":              object{"title": "Art34", "version": "1", "description": apiAbout, "license": object{"name": "see the LICENSE of this program", "identifier": "LicenseRef-Art34"}},
		"jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
		"servers":           []any{object{"url": apiBase}},
		"security":          []any{object{"token": []string{}}},
		"tags":              scopeTags(),
		"paths":             paths,
		"components": object{
			"schemas":         s,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "description": "A token of the console, made by an administrator."}},
			"responses":       problems(problemRef),
			"headers":         object{"RetryAfter": object{"description": "Seconds until it is worth another try.", "schema": object{"type": "integer"}}},
		},
	}, "", " ")
}

var inPath = regexp.MustCompile(`\{([a-z]+)\}`)

func (s schemas) operation(e endpoint) (object, error) {
	out, err := s.of(e.out)
	if err != nil {
		return nil, err
	}
	op := object{
		"operationId": e.id, "summary": e.does, "tags": []string{string(e.may)}, "security": []any{object{"token": []string{string(e.may)}}},
		"responses": answersOf(e, object{"schema": out, "example": example(e.out, "")}),
	}
	parameters := []any{}
	for _, m := range inPath.FindAllStringSubmatch(e.path, -1) {
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": inPathKind(m[1])}, "example": inPathExample(m[1])})
	}
	for _, q := range e.query {
		kind := "string"
		if q.number {
			kind = "integer"
		}
		parameters = append(parameters, object{"name": q.name, "in": "query", "description": q.does, "schema": object{"type": kind}})
	}
	parameters = append(parameters, object{"name": behalf, "in": "header", "required": needsPerson(e.may), "description": personNote(e.may), "schema": object{"type": "string", "pattern": "^[a-z0-9][a-z0-9._@-]{1,62}$"}, "example": "ana.martin"})
	if e.tagged() {
		parameters = append(parameters, object{"name": "If-None-Match", "in": "header", "description": "The ETag of the answer before: 304 without a body if nothing is new.", "schema": object{"type": "string"}})
	}
	if e.method != http.MethodGet {
		if !e.shows() {
			parameters = append(parameters, object{"name": "Idempotency-Key", "in": "header", "description": "What makes this request one of its own.", "schema": object{"type": "string", "maxLength": 200}, "example": "ticket-7"})
		}
		in, err := s.of(e.in)
		if err != nil {
			return nil, err
		}
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": in, "example": example(e.in, "")}}}
	}
	op["parameters"] = parameters
	return op, nil
}

// schemas are the types that the interface speaks of, by name.
type schemas object

// of is the schema of a type; structs are kept under their name.
func (s schemas) of(t reflect.Type) (object, error) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}, nil
	case t.Kind() == reflect.Pointer:
		in, err := s.of(t.Elem())
		if kind, ok := in["type"].(string); ok {
			in["type"] = []string{kind, "null"}
			return in, err
		}
		return object{"oneOf": []any{in, object{"type": "null"}}}, err
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}, nil
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "format": "int64"}, nil
	case reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.Slice:
		in, err := s.of(t.Elem())
		return object{"type": "array", "items": in}, err
	case reflect.Map:
		in, err := s.of(t.Elem())
		return object{"type": "object", "additionalProperties": in}, err
	case reflect.Struct:
		return s.record(t)
	}
	return nil, fmt.Errorf("no schema for %s", t)
}

// record keeps a struct under its name. Fields carry doc, enum and max as tags; one
// without omitempty is always there.
func (s schemas) record(t reflect.Type) (object, error) {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	ref := object{"$ref": "#/components/schemas/" + name}
	if _, there := s[name]; there {
		return ref, nil
	}
	properties, required := object{}, []string{}
	s[name] = object{} // a type may hold itself
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue // its fields stand here as if they were ours
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" {
			return nil, fmt.Errorf("%s.%s has no name in JSON", t, f.Name)
		}
		p, err := s.of(f.Type)
		if err != nil {
			return nil, err
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			p["enum"] = strings.Split(enum, "|")
		}
		if most := f.Tag.Get("max"); most != "" {
			n, err := strconv.Atoi(most)
			if err != nil {
				return nil, err
			}
			p["maxLength"] = n
		}
		properties[key] = p
		if !slices.Contains(strings.Split(options, ","), "omitempty") {
			required = append(required, key)
		}
	}
	// Nothing is answered that the document does not name.
	r := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		r["required"] = required
	}
	s[name] = r
	return ref, nil
}
