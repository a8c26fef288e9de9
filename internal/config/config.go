// Package config reads the settings of the program from flags and SITTHI_* variables, and says by name which is wrong.
package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// prefix begins the names of the variables: --log-level is SITTHI_LOG_LEVEL.
const prefix = "SITTHI_"

// testPrefix begins the names of variables that tests use among themselves.
const testPrefix = prefix + "TEST_"

// credentials names the folder in which systemd hands secrets to a service (LoadCredential=).
const credentials = "CREDENTIALS_DIRECTORY"

// ErrHelp says that help was asked for and given: there is nothing to run.
var ErrHelp = errors.New("help was given")

// Parse fills the grammar, a pointer to a struct as kong reads it, from the arguments and, where those are silent,
// from the variables. Every flag has a variable; a variable with the prefix that belongs to no flag is an error, since
// it is most likely a slip. Each error names the flag or variable it is about. Help goes to out.
func Parse(grammar any, args, env []string, out io.Writer, about string) (*kong.Context, error) {
	vars := variables(env)
	used := map[string]string{} // flag → variable it was read from
	helped := false
	k, err := kong.New(grammar,
		kong.Name("sitthi"), kong.Description(about),
		kong.Writers(out, out),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ValueFormatter(describe),
		kong.Bind(Secrets{vars[credentials]}),
		kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			name := Variable(flag.Name)
			value, ok := vars[name]
			if !ok {
				return nil, nil
			}
			used[flag.Name] = name
			return value, nil
		})),
	)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	ctx, err := k.Parse(args)
	if helped {
		return nil, ErrHelp
	}
	if err != nil {
		return nil, named(err, used)
	}
	if err := unknown(k.Model, vars); err != nil {
		return nil, err
	}
	return ctx, nil
}

// Variable is the name of the variable that stands for a flag.
func Variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Wrong is an error about the value of a flag, whichever way it was given.
func Wrong(flag, format string, args ...any) error {
	return fmt.Errorf("--%s ($%s): %w", flag, Variable(flag), fmt.Errorf(format, args...))
}

func variables(env []string) map[string]string {
	vars := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return vars
}

// describe adds the variable to the help of a flag.
func describe(v *kong.Value) string {
	if v.Flag == nil || v.Name == "help" {
		return v.Help
	}
	return fmt.Sprintf("%s [$%s]", v.Help, Variable(v.Name))
}

// named says in an error of the parser which variable a value came from.
func named(err error, used map[string]string) error {
	for flag, variable := range used {
		text, ours := strings.CutPrefix(err.Error(), "--"+flag)
		if ours && !strings.HasPrefix(text, "-") && !strings.Contains(text, variable) {
			return fmt.Errorf("$%s: %w", variable, err)
		}
	}
	return err
}

// unknown refuses variables that look like ours and are none.
func unknown(app *kong.Application, vars map[string]string) error {
	known := map[string]bool{}
	collect(app.Node, known)
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, testPrefix) && !known[name] {
			return fmt.Errorf("$%s: there is no such setting", name)
		}
	}
	return nil
}

func collect(node *kong.Node, known map[string]bool) {
	for _, flag := range node.Flags {
		known[Variable(flag.Name)] = true
	}
	for _, child := range node.Children {
		collect(child, known)
	}
}
