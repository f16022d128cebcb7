package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// globals are the options of every command. An option given on the command line
// wins over the environment, that over art34.yaml, that over the default.
type globals struct {
	Dir    string `help:"Directory of the installation: everything that is not in PostgreSQL or Redis (default: ./art34-data)." default:"./art34-data" placeholder:"DIR" type:"path" group:"every"`
	Config string `help:"Configuration file; its keys are the options (default: art34.yaml in DIR, if it is there)." placeholder:"FILE" type:"path" group:"every"`

	Ledger     string `help:"The ledger: postgres://… (default: SQLite in DIR)." placeholder:"URL" group:"every"`
	LedgerFile string `help:"File that holds the URL of the ledger, with its password." placeholder:"FILE" type:"path" group:"every"`
	Redis      string `help:"The queue: redis://… (default: embedded)." placeholder:"URL" group:"every"`
	RedisFile  string `help:"File that holds the URL of Redis, with its password." placeholder:"FILE" type:"path" group:"every"`
	Relay      string `help:"The mail relay: smtp://[user@]host:port[?tls=none] or smtps://… (default: no real sending)." placeholder:"URL" group:"every"`

	RelayPasswordFile string `help:"File that holds the password for the relay; or $$ART34_RELAY_PASSWORD." placeholder:"FILE" type:"path" group:"every"`
	MasterKeyFile     string `help:"File that holds the master key; or $$ART34_MASTER_KEY (default: master.key in DIR)." placeholder:"FILE" type:"path" group:"every"`

	consoleOptions
	companyOptions
	feedbackOptions

	As   string `help:"Who is acting, for the audit trail (default: your user name)." placeholder:"NAME" group:"every"`
	JSON bool   `name:"json" help:"Print results as JSON, and errors too." group:"every"`
	Log  string `help:"Least level of log lines: debug, info, warn, error." enum:"debug,info,warn,error" default:"info" group:"every"`

	Version kong.VersionFlag `help:"Print the version." group:"every"`
}

// BeforeResolve reads the configuration file once it is known where it is.
func (g *globals) BeforeResolve(k *kong.Context) error {
	dir, file := flagSoFar(k, "dir"), flagSoFar(k, "config")
	explicit := file != ""
	if !explicit {
		file = filepath.Join(dir, "art34.yaml")
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		return nil
	}
	if info, e := os.Stat(dir); e == nil && !info.IsDir() {
		return refuse("dir", dir+" is a file, not the directory of an installation", "name the directory with --dir or ART34_DIR")
	}
	if err != nil {
		return refuse("config-unreadable", "the configuration file cannot be read: "+err.Error(), "name it with --config, or leave it out")
	}
	values := map[string]any{}
	if err := strictyaml.Decode(filepath.Base(file), data, &values); err != nil {
		return refuse("config", err.Error(), "keys are the options without their hyphens in front; those of one command stand under its name: README.md shows it")
	}
	k.AddResolver(&fileResolver{name: filepath.Base(file), values: values})
	return nil
}

// flagSoFar is the value of a flag from the command line, the environment or its
// default, before configuration files are known.
func flagSoFar(k *kong.Context, name string) string {
	for _, f := range k.Model.Flags {
		if f.Name == name {
			s, _ := k.FlagValue(f).(string)
			for _, env := range f.Envs {
				if v := os.Getenv(env); v != "" && !givenOnLine(k, name) {
					s = v
				}
			}
			return s
		}
	}
	return ""
}

func givenOnLine(k *kong.Context, name string) bool {
	return slices.ContainsFunc(k.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == name })
}

// fileResolver takes options from art34.yaml: those of every command at the top,
// those of one command under its name.
type fileResolver struct {
	name   string
	values map[string]any
}

// Validate refuses keys that are no options.
func (r *fileResolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	keysOf(app.Node, "", known)
	var unknown []string
	walkKeys(r.values, "", known, &unknown)
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return refuse("config", fmt.Sprintf("%s: no such option: %s", r.name, strings.Join(unknown, ", ")), "the keys are the long options, with _ for -; those of one command stand under its name")
}

// Resolve returns the value of a flag, nil if the file does not have it.
func (r *fileResolver) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	at := r.values
	if node := parent.Node(); node != nil {
		for _, part := range nodePath(node) {
			at, _ = at[part].(map[string]any)
		}
	}
	v, ok := at[configKey(flag.Name)]
	if !ok {
		return nil, nil
	}
	switch v.(type) {
	case []any, map[string]any:
		return v, nil // lists and maps of options that may be repeated
	}
	return fmt.Sprint(v), nil
}

// notConfigurable are options that make no sense in a file or the environment.
func notConfigurable(flag string) bool { return flag == "help" || flag == "version" }

func configKey(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// nodePath is the names of the commands down to a node.
func nodePath(n *kong.Node) []string {
	if n.Parent == nil {
		return nil
	}
	return append(nodePath(n.Parent), configKey(n.Name))
}

func keysOf(n *kong.Node, prefix string, known map[string]bool) {
	for _, f := range n.Flags {
		if !notConfigurable(f.Name) {
			known[prefix+configKey(f.Name)] = true
		}
	}
	for _, c := range n.Children {
		known[prefix+configKey(c.Name)] = true
		keysOf(c, prefix+configKey(c.Name)+".", known)
	}
}

func walkKeys(at map[string]any, prefix string, known map[string]bool, unknown *[]string) {
	for k, v := range at {
		if !known[prefix+k] {
			*unknown = append(*unknown, prefix+k)
			continue
		}
		if sub, ok := v.(map[string]any); ok {
			walkKeys(sub, prefix+k+".", known, unknown)
		}
	}
}

// nameEnvironment gives every option its variable: ART34_DIR, ART34_RUN_ROLES.
func nameEnvironment(k *kong.Kong) error {
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			if notConfigurable(f.Name) {
				continue
			}
			env := strings.ToUpper("ART34_" + strings.Join(append(nodePath(n), configKey(f.Name)), "_"))
			f.Envs = []string{env}
			f.Value.Tag.Envs = f.Envs
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(k.Model.Node)
	return nil
}

// secret reads a secret from its file, or from the environment: never from the
// command line, where every process could read it.
func secret(file, env string) (string, error) {
	if file == "" {
		return os.Getenv(env), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", refuse("secret-unreadable", "a file with a secret cannot be read: "+err.Error(), "the path stands in an option or variable that ends in _FILE")
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}
