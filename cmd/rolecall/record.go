package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rolecall/rolecall/apply"
	"github.com/rolecall/rolecall/apply/journal"
	"github.com/rolecall/rolecall/plan"
	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// The folders of what an apply leaves behind, below the configuration.
const (
	ownDir       = ".rolecall"
	journalDir   = "journal"
	snapshotsDir = "snapshots"
)

// keptSnapshots is how many states before an apply are kept; older ones are
// removed. Journals are an audit record and are never removed.
const keptSnapshots = 20

// A recorder keeps what an apply did, and the state before it, beside the
// configuration.
type recorder struct {
	journal  *journal.Journal
	snapshot string // file that holds the state before
}

// A remembering reader keeps the live state as it was last read whole, before
// a plan puts the words of the configuration to it.
type remembering struct {
	providers.Reader
	live *schema.State
	at   time.Time
}

func (r *remembering) Read(ctx context.Context) (*schema.State, error) {
	at := time.Now()
	live, err := r.Reader.Read(ctx)
	if err == nil {
		r.live, r.at = live, at
	}
	return live, err
}

// startRecord saves the live state that a plan was made from, and begins the
// journal of its apply. Both are on the disk before the first write.
func startRecord(c *cli.Context, s streams, cfg *configuration, p *plan.Plan, read *remembering) (*recorder, error) {
	dir := filepath.Join(c.String("C"), ownDir)
	if err := os.MkdirAll(filepath.Join(dir, snapshotsDir), 0o700); err != nil {
		return nil, fmt.Errorf("state before the apply: %w", err)
	}
	r := &recorder{snapshot: filepath.Join(dir, snapshotsDir, read.at.UTC().Format("20060102T150405.000Z")+".json")}
	if err := providers.TakeSnapshot(cfg.system, cfg.System.Name, version, read.at, read.live).Write(r.snapshot); err != nil {
		return nil, fmt.Errorf("state before the apply: %w", err)
	}
	if err := forgetOld(filepath.Join(dir, snapshotsDir), keptSnapshots); err != nil {
		return nil, fmt.Errorf("state before the apply: %w", err)
	}
	j, err := journal.Create(filepath.Join(dir, journalDir), time.Now, journal.Record{
		Version: version, Organization: p.Organization, System: p.SystemName, Configuration: cfg.Digest,
		Actor: actor(c.Context, c.String("C"), s), Commit: commit(c.Context, c.String("C")),
		Steps: p.Summary.Steps, Snapshot: filepath.Base(r.snapshot),
	})
	if err != nil {
		return nil, err
	}
	r.journal = j
	return r, nil
}

// forgetOld removes all but the newest files of a folder.
func forgetOld(dir string, keep int) error {
	entries, err := os.ReadDir(dir) // by name, which is the time
	if err != nil {
		return err
	}
	for len(entries) > keep {
		if err := os.Remove(filepath.Join(dir, entries[0].Name())); err != nil {
			return err
		}
		entries = entries[1:]
	}
	return nil
}

// end writes how the apply ended.
func (r *recorder) end(cause error) error {
	rec := journal.Record{Kind: journal.End, Outcome: outcome(cause)}
	if cause != nil {
		rec.Message = cause.Error()
	}
	return errors.Join(r.journal.Write(rec), r.journal.Close())
}

// outcome names how a run ended, the same word in the journal and in JSON.
func outcome(cause error) string {
	switch exitCode(cause) {
	case exitOK:
		return "applied"
	case exitBlocked:
		return "blocked"
	case exitWaiting:
		return "waiting"
	case exitUndetermined:
		return "undetermined"
	case exitStale:
		return "stale"
	case exitDeadline:
		return "deadline"
	case exitInterrupted:
		return "interrupted"
	}
	return "failed"
}

// undo says how to go back to the state before an apply that went wrong.
func (r *recorder) undo(s streams, c *cli.Context, result apply.Result, cause error) {
	if cause == nil || result.Done == 0 {
		return
	}
	switch exitCode(cause) {
	case exitWaiting, exitDeadline, exitInterrupted: // the next apply goes on
		return
	}
	fmt.Fprintf(s.err, "rolecall: %s done; to go back to how it was before: rolecall rollback -C %s %s\n",
		schema.Count(result.Done, "step"), schema.Printable(c.String("C")), schema.Printable(r.snapshot))
}

// actor names who runs an apply: the user of the CI system, else the one whom
// Git knows in the directory, else that of the machine.
func actor(ctx context.Context, dir string, s streams) string {
	for _, name := range []string{"GITHUB_ACTOR", "GITLAB_USER_LOGIN"} {
		if v := s.getenv(name); v != "" {
			return v
		}
	}
	if v := git(ctx, dir, "config", "user.email"); v != "" {
		return v
	}
	if v := s.getenv("USER"); v != "" {
		return v
	}
	return "unknown"
}

// commit returns the commit of the configuration, with "+changes" if its files
// differ from it, "" if it is not in Git.
func commit(ctx context.Context, dir string) string {
	head := git(ctx, dir, "rev-parse", "HEAD")
	if head == "" {
		return ""
	}
	if git(ctx, dir, "status", "--porcelain", "--", ".") != "" {
		head += "+changes"
	}
	return head
}

// git returns what git prints, "" if there is no git or no repository. Git
// decides what belongs to a repository; here it is only asked.
func git(ctx context.Context, dir string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// deadline returns when an apply has to stop, the zero time for never.
func deadline(c *cli.Context, start time.Time) (time.Time, error) {
	if !c.IsSet("max-duration") {
		return time.Time{}, nil
	}
	d := c.Duration("max-duration")
	if d <= 0 {
		return time.Time{}, usage("--max-duration %s: give a time such as 50m", d)
	}
	return start.Add(d), nil
}
