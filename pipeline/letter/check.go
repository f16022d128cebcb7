package letter

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// Types that the checker knows by name. reflect.TypeFor gives the same value
// every time.
var (
	typeData     = reflect.TypeFor[data]()
	typeValue    = reflect.TypeFor[Value]()
	typeMarkdown = reflect.TypeFor[Markdown]()
	typeString   = reflect.TypeFor[string]()
	typeInt      = reflect.TypeFor[int]()
	typeBool     = reflect.TypeFor[bool]()
)

// escapeFunc is appended to every pipeline that prints plain text.
const escapeFunc = "_escape"

// maxNodes bounds a letter with all its parts written out.
const maxNodes = 20000

// checker walks the parse trees of one letter, as html/template does: it gives
// every pipeline a type, appends the escaper where plain text is printed, and
// refuses what is not known to be harmless. After it, executing the template
// cannot fail for a reason that lies in the template, and takes time linear in the
// customer's data: a range within a range may only walk a list of the element it
// is in, and parts are neither recursive nor called from within a range.
type checker struct {
	trees   map[string]*parse.Tree
	subject bool                // values of the customer are refused
	uses    map[string][]string // fields used, by template
	faults  []Fault
	sizes   map[string]int // templates done: nodes with their parts; -1: in work
}

// scope is what an action can see.
type scope struct {
	dot     reflect.Type
	vars    map[string]reflect.Type
	ranged  bool // within a range
	foreign bool // dot does not belong to the element of the innermost range
}

func (s scope) with(name string, t reflect.Type) scope {
	vars := make(map[string]reflect.Type, len(s.vars)+1)
	for k, v := range s.vars {
		vars[k] = v
	}
	vars[name] = t
	s.vars = vars
	return s
}

// check checks the template of that name with all that it calls and returns its
// size in nodes.
func (c *checker) check(name string) int {
	tree, ok := c.trees[name]
	if !ok {
		return 0
	}
	if size, ok := c.sizes[name]; ok {
		return size
	}
	c.sizes[name] = -1
	w := walker{checker: c, tree: tree, name: name}
	w.list(tree.Root, scope{dot: typeData, vars: map[string]reflect.Type{"$": typeData}})
	c.sizes[name] = w.nodes
	if w.nodes > maxNodes {
		w.fault(tree.Root, "the letter has more than %d parts", maxNodes)
		c.sizes[name] = 0 // said once
	}
	return c.sizes[name]
}

// walker walks one template.
type walker struct {
	*checker
	tree  *parse.Tree
	name  string
	nodes int
}

func (w *walker) fault(n parse.Node, format string, args ...any) {
	file, line := position(w.tree, n)
	w.faults = append(w.faults, Fault{File: file, Line: line, Sentence: fmt.Sprintf(format, args...)})
}

// list walks the nodes of a block. A variable lives until the block ends.
func (w *walker) list(l *parse.ListNode, s scope) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		w.nodes++
		switch n := n.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			s = w.action(n, s)
		case *parse.IfNode:
			inner := s
			t := w.pipe(n.Pipe, &inner)
			w.condition(n, t)
			w.list(n.List, inner)
			w.list(n.ElseList, inner)
		case *parse.WithNode:
			w.withNode(n, s)
		case *parse.RangeNode:
			w.rangeNode(n, s)
		case *parse.TemplateNode:
			w.call(n, s)
		default:
			w.fault(n, "%s is not allowed in a letter", n)
		}
	}
}

// action checks a pipeline that prints or declares a variable.
func (w *walker) action(n *parse.ActionNode, s scope) scope {
	t := w.pipe(n.Pipe, &s)
	if len(n.Pipe.Decl) > 0 || t == nil {
		return s
	}
	switch t {
	case typeMarkdown, typeInt:
	case typeValue:
		if w.subject {
			w.fault(n, "%s is a value of the customer: the subject of an e-mail can be read by others", n.Pipe)
		}
	case typeString:
		id := parse.NewIdentifier(escapeFunc).SetTree(w.tree).SetPos(n.Pos)
		n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{id}})
	default:
		w.fault(n, "%s is a %s and cannot be printed", n.Pipe, typeName(t))
	}
	return s
}

// condition checks what decides an if: a group of fields is always there.
func (w *walker) condition(n parse.Node, t reflect.Type) {
	if t != nil && t.Kind() == reflect.Struct {
		w.fault(n, "a condition on a group of fields is always true")
	}
}

func (w *walker) withNode(n *parse.WithNode, s scope) {
	inner := s
	t := w.pipe(n.Pipe, &inner)
	w.condition(n, t)
	w.list(n.ElseList, inner)
	if t == nil {
		return
	}
	inner.dot = t
	inner.foreign = s.foreign || s.ranged && !ownField(n.Pipe)
	w.list(n.List, inner)
}

func (w *walker) rangeNode(n *parse.RangeNode, s scope) {
	decl := n.Pipe.Decl
	bare := *n.Pipe
	bare.Decl = nil
	t := w.pipe(&bare, &s)
	w.list(n.ElseList, s)
	if t == nil {
		return
	}
	if t.Kind() != reflect.Slice {
		w.fault(n, "range over %s: it is a %s, not a list", &bare, typeName(t))
		return
	}
	if s.ranged && (s.foreign || !ownField(&bare)) {
		w.fault(n, "range over %s: within a range only a list of its own element may be walked", &bare)
		return
	}
	inner := s
	inner.dot, inner.ranged, inner.foreign = t.Elem(), true, false
	switch len(decl) {
	case 1:
		inner = inner.with(decl[0].Ident[0], t.Elem())
	case 2:
		inner = inner.with(decl[0].Ident[0], typeInt).with(decl[1].Ident[0], t.Elem())
	}
	w.list(n.List, inner)
}

// ownField reports whether a pipeline is a field of dot, or dot itself.
func ownField(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	switch p.Cmds[0].Args[0].(type) {
	case *parse.FieldNode, *parse.DotNode:
		return true
	}
	return false
}

// call checks {{template "name" .}}.
func (w *walker) call(n *parse.TemplateNode, s scope) {
	if _, ok := w.trees[n.Name]; !ok {
		w.fault(n, "there is no part %q in this file or in the parts file", n.Name)
		return
	}
	if s.ranged {
		w.fault(n, "the part %q is called within a range", n.Name)
		return
	}
	if n.Pipe == nil || w.pipe(n.Pipe, &s) != typeData {
		w.fault(n, "a part is called with all fields: {{template %q .}}, or with $ where . is something else", n.Name)
		return
	}
	size := w.check(n.Name)
	if size < 0 {
		w.fault(n, "the part %q calls itself", n.Name)
		return
	}
	w.nodes += size
	w.uses[w.name] = append(w.uses[w.name], w.uses[n.Name]...)
}

// pipe returns the type of a pipeline, nil after a fault. It declares variables
// in s.
func (w *walker) pipe(p *parse.PipeNode, s *scope) reflect.Type {
	if p == nil || p.IsAssign || len(p.Decl) > 1 {
		w.fault(p, "%s: a variable is declared once, with :=", p)
		return nil
	}
	var t reflect.Type
	for i, cmd := range p.Cmds {
		if t = w.command(cmd, *s, t, i > 0); t == nil {
			return nil
		}
	}
	for _, v := range p.Decl {
		*s = s.with(v.Ident[0], t)
	}
	return t
}

// command returns the type of one command; final is the type of the command
// before it in the pipeline, if piped.
func (w *walker) command(cmd *parse.CommandNode, s scope, final reflect.Type, piped bool) reflect.Type {
	w.nodes++
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		args := make([]reflect.Type, 0, len(cmd.Args))
		for _, a := range cmd.Args[1:] {
			t := w.operand(a, s)
			if t == nil {
				return nil
			}
			args = append(args, t)
		}
		if piped {
			args = append(args, final)
		}
		return w.function(cmd, id.Ident, args)
	}
	if piped || len(cmd.Args) > 1 {
		w.fault(cmd, "%s is not a function", cmd.Args[0])
		return nil
	}
	return w.operand(cmd.Args[0], s)
}

// operand returns the type of a value.
func (w *walker) operand(n parse.Node, s scope) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return s.dot
	case *parse.FieldNode:
		return w.fields(n, s.dot, n.Ident)
	case *parse.VariableNode:
		t, ok := s.vars[n.Ident[0]]
		if !ok {
			w.fault(n, "no variable %s", n.Ident[0])
			return nil
		}
		return w.fields(n, t, n.Ident[1:])
	case *parse.StringNode:
		return typeString
	case *parse.BoolNode:
		return typeBool
	case *parse.NumberNode:
		if n.IsInt {
			return typeInt
		}
	case *parse.PipeNode:
		return w.pipe(n, &s)
	case *parse.IdentifierNode:
		return w.function(n, n.Ident, nil)
	}
	w.fault(n, "%s is not allowed in a letter", n)
	return nil
}

// fields follows a chain of fields.
func (w *walker) fields(n parse.Node, t reflect.Type, idents []string) reflect.Type {
	for i, name := range idents {
		if t.Kind() != reflect.Struct {
			w.fault(n, "%s: a %s has no field %s", n, typeName(t), name)
			return nil
		}
		f, ok := t.FieldByName(name)
		if !ok {
			w.fault(n, "%s: there is no field %s; there are %s", n, name, strings.Join(fieldNames(t), ", "))
			return nil
		}
		if t == typeData || i > 0 {
			w.uses[w.name] = append(w.uses[w.name], strings.Join(idents[:i+1], "."))
		}
		if t != typeData && i == 0 {
			w.uses[w.name] = append(w.uses[w.name], t.Name()+"."+name)
		}
		t = f.Type
	}
	return t
}

func fieldNames(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		out = append(out, t.Field(i).Name)
	}
	return out
}

// function returns the type of a call of one of Functions.
func (w *walker) function(n parse.Node, name string, args []reflect.Type) reflect.Type {
	low, high := 2, 2
	switch name {
	case "and", "or":
		low, high = 1, 8
	case "not", "len":
		low, high = 1, 1
	case "eq", "ne", "lt", "le", "gt", "ge":
	default:
		w.fault(n, "no function %s; there are %s", name, strings.Join(Functions(), ", "))
		return nil
	}
	if len(args) < low || len(args) > high {
		w.fault(n, "%s has %d arguments", name, len(args))
		return nil
	}
	switch name {
	case "len":
		if args[0].Kind() != reflect.Slice {
			w.fault(n, "len of a %s: it counts the elements of a list", typeName(args[0]))
			return nil
		}
		return typeInt
	case "not", "and", "or":
		if slices.ContainsFunc(args, func(t reflect.Type) bool { return t.Kind() == reflect.Struct }) {
			w.fault(n, "%s of a group of fields", name)
			return nil
		}
		return typeBool
	}
	if args[0] != args[1] || args[0] != typeInt && args[0] != typeBool || args[0] == typeBool && name != "eq" && name != "ne" {
		w.fault(n, "%s compares a %s with a %s: it takes two numbers", name, typeName(args[0]), typeName(args[1]))
		return nil
	}
	return typeBool
}

// position returns the file and line of a node.
func position(tree *parse.Tree, n parse.Node) (string, int) {
	location, _ := tree.ErrorContext(n)
	return splitLocation(location)
}
