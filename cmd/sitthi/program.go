package main

import (
	"context"
	"errors"
	"io"
	"os"

	"sitthi/internal/config"
)

const about = `Sitthi (สิทธิ์): who may consider and approve permits to take industrial waste out of a factory (กอ.1).
Every flag can also be given as the variable beside it; passwords and keys come from files alone.`

// commands is the grammar of the command line. A command's Run gets the context, the shell and the secrets.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve the pages. Makes and migrates the database when it has to."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to this program's version, and no more."`
	Admin   struct {
		Create        adminCreate        `cmd:"" help:"Make one of the first two central administrators, from this terminal."`
		ForgetFactors adminForgetFactors `cmd:"" help:"Take the second factors of somebody away who has lost them all."`
		Reopen        adminReopen        `cmd:"" help:"Let a password that was switched off by wrong tries be used again."`
	} `cmd:"" help:"What only the server's terminal can do for people."`
	May     mayCommand     `cmd:"" help:"Tell whether a person may do something at a moment, and why. The exit status is 0 for yes, 1 for no, 2 for a failure."`
	Audit   auditCommand   `cmd:"" help:"The audit log."`
	Token   tokenCommand   `cmd:"" help:"Programs of the department that ask who may do what."`
	Keys    keysCommand    `cmd:"" help:"The keys of the installation."`
	Backup  backupCommand  `cmd:"" help:"Copy a SQLite database, encrypted, while it is being served. It holds no keys."`
	Restore restoreCommand `cmd:"" help:"Bring a backup back into a new SQLite database, and check it."`
	Version versionCommand `cmd:"" help:"Tell the version of this program."`
}

// shell is where a command reads and writes.
type shell struct {
	in       *os.File
	out, err io.Writer
}

// run is the whole program but for the process around it: it ends when the command is done or, when the context is
// cancelled, as soon as that can be done in good order.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	var p commands
	command, err := config.Parse(&p, args, env, stdout, about)
	if errors.Is(err, config.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(&shell{in: os.Stdin, out: stdout, err: stderr})
}
