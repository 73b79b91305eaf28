package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/api"
	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// demoPolicies are the policies of the demo: the first that a newcomer sees.
//
//go:embed demo/*.yaml
var demoPolicies embed.FS

// demoToolsVariable is how those policies learn where the sample tools listen.
const demoToolsVariable = "DEMO_TOOLS"

const demoAddr = "127.0.0.1:7411"

// demoReport is the demo as one JSON document.
type demoReport struct {
	OK       bool   `json:"ok"` // the story went as told
	URL      string `json:"url"`
	Tools    string `json:"tools"` // where the sample tools show what they count
	Policies string `json:"policies"`
	// Dashboard signs an admin in, once; AdminKey does so later.
	Dashboard string   `json:"dashboard,omitzero"`
	AdminKey  string   `json:"admin_key,omitzero"`
	Steps     []*step  `json:"steps"`
	Try       []string `json:"try"` // commands that work as long as the demo serves
}

func newDemoCommand() *cobra.Command {
	var addr string
	var once, asJSON bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "See in a minute what the guard does",
		Long: "Demo starts a guard and a sample payment and mail service on this machine, with a ledger in a temporary folder, and plays a\n" +
			"short story against the guard's HTTP endpoint. Then it serves, with a dashboard that shows a day of several agents, until Ctrl-C.\n\n" +
			"With --once it ends after the story, with exit code 1 if anything went otherwise than told.",
		RunE: func(c *cobra.Command, _ []string) error {
			given := c.Flags().Changed("addr")
			if given && !loopback(addr) {
				return usageError{errors.New("--addr must be a loopback address such as 127.0.0.1:0: the demo is for this machine only")}
			}
			d := demo{addr: addr, given: given, once: once, stdout: c.OutOrStdout(), stderr: c.ErrOrStderr()}
			if asJSON {
				return d.run(c.Context(), d.document)
			}
			return d.run(c.Context(), d.print)
		},
	}
	c.Flags().StringVar(&addr, "addr", demoAddr, "loopback address to listen on; if the default is taken, another port is used")
	c.Flags().BoolVar(&once, "once", false, "end after the story")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// demo is a demo under way.
type demo struct {
	addr   string
	given  bool // the user chose the address
	once   bool
	stdout io.Writer
	stderr io.Writer

	tools    *sampleTools
	own      *ownGuard
	policies string // folder
	agent    string // the agent's key
	reviewer string // the reviewer's key
	admin    string // the admin's key
}

// run starts everything, tells the story and serves. Everything is gone when it returns.
func (d *demo) run(ctx context.Context, tell func(context.Context) (bool, error)) (err error) {
	// A reader of the output who has seen enough must not end the process before the folder is removed.
	signal.Ignore(syscall.SIGPIPE)
	folder, err := os.MkdirTemp("", "onceguard-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if d.tools, err = startSampleTools(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.tools.close()) }()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	source, err := d.watchPolicies(watching, filepath.Join(folder, "policies"))
	if err != nil {
		stop()
		return err
	}
	defer func() { stop(); <-source.Done() }()
	key := newOwnKey()
	if !d.once { // else nobody would look at it
		if err := playDay(ctx, folder, key, source); err != nil {
			return err
		}
	}
	if d.own, err = d.startGuard(folder, key, source); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.own.close()) }()
	if err := d.makeKeys(ctx); err != nil {
		return err
	}
	asTold, err := tell(ctx)
	if err != nil {
		return err
	}
	if !d.once {
		<-ctx.Done()
	}
	if !asTold && ctx.Err() == nil {
		return errReported
	}
	return nil
}

// watchPolicies puts the sample policies into a folder, where they can be edited, and loads them.
func (d *demo) watchPolicies(ctx context.Context, folder string) (*policy.Source, error) {
	d.policies = folder
	files, err := fs.Sub(demoPolicies, "demo")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(folder, files); err != nil {
		return nil, err
	}
	if err := os.Setenv(demoToolsVariable, d.tools.addr); err != nil {
		return nil, err
	}
	return policy.Watch(ctx, folder, func(_ *policy.Set, err error) {
		if err != nil {
			fmt.Fprintf(d.stderr, "The edited policies are refused, so the earlier ones stay in force:\n%v\n", err)
			return
		}
		fmt.Fprintln(d.stderr, "The edited policies are in force.")
	})
}

func (d *demo) startGuard(folder string, key []byte, policies api.Policies) (*ownGuard, error) {
	start := func(addr string) (*ownGuard, error) {
		return startOwnGuard(addr, folder, key, policies, false, slog.New(slog.DiscardHandler))
	}
	own, err := start(d.addr)
	if !d.given && errors.Is(err, syscall.EADDRINUSE) {
		return start("127.0.0.1:0")
	}
	return own, err
}

// makeKeys gives the agent, the reviewer and the admin a key each: nobody decides on calls of their own.
func (d *demo) makeKeys(ctx context.Context) (err error) {
	key := func(p guard.Principal) string {
		token, credential, keyErr := api.NewKey(p, "demo")
		if keyErr == nil {
			keyErr = d.own.store.AddCredential(ctx, credential)
		}
		err = errors.Join(err, keyErr)
		return token
	}
	d.agent, d.reviewer, d.admin = key(demoSupport), key(demoReviewer), key(demoAdmin)
	return err
}

func (d *demo) story(told func(*step)) *story {
	return &story{agent: client.New(d.own.url, d.agent, nil), reviewer: client.New(d.own.url, d.reviewer, nil), tools: d.tools, told: told}
}

// dashboard is a link that signs an admin in, once.
func (d *demo) dashboard() string {
	return d.own.pages.SignInLink(d.own.url, guard.Credential{Hash: sha256.Sum256([]byte(d.admin))})
}

// try gives commands that can be pasted into a shell.
func (d *demo) try() []string {
	return []string{
		fmt.Sprintf(`curl -s %s/v1/calls -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{"tool": "payments.refund", "run": "mine", "arguments": {"order_id": "B-1", "amount": 10}}'`, d.own.url, d.agent),
		fmt.Sprintf(`curl -s %s/v1/reviews -H 'Authorization: Bearer %s'`, d.own.url, d.reviewer),
	}
}

// document tells the story as one JSON document.
func (d *demo) document(ctx context.Context) (bool, error) {
	s := d.story(func(*step) {})
	ok := s.tell(ctx)
	r := demoReport{OK: ok, URL: d.own.url, Tools: "http://" + d.tools.addr + "/", Policies: d.policies, Steps: s.steps, Try: d.try()}
	if !d.once {
		r.Dashboard, r.AdminKey = d.dashboard(), d.admin
	}
	return ok, writeJSON(d.stdout, r)
}

// print tells the story for people.
func (d *demo) print(ctx context.Context) (bool, error) {
	p := newPage(d.stdout)
	fmt.Fprintf(p.w, "%s\n\n%s\n", p.in(bold, "Onceguard, between an agent and the tools that change the world"),
		wrap("An agent's calls go to the guard at "+d.own.url+" instead of to the tools. The tools are a payment and a mail service at http://"+
			d.tools.addr+" that do what they are told as often as they are told, and count it.", ""))
	ok := d.story(p.step).tell(ctx)
	switch {
	case !ok:
		fmt.Fprintf(p.w, "\n%s\n", p.in(red, "The story did not go as told."))
	case d.once:
		fmt.Fprintf(p.w, "\nAll went as told. Without --once the guard would now wait for your own calls.\n")
	}
	if d.once {
		return ok, nil
	}
	try := d.try()
	fmt.Fprintf(p.w, "\n%s\n\n", p.in(bold, "The dashboard"))
	fmt.Fprintf(p.w, "It shows a day of several agents, with all that you have just read. This link signs you in, once:\n\n  %s\n\nLater, sign in at %s with the key %s\n",
		d.dashboard(), d.own.url, d.admin)
	fmt.Fprintf(p.w, "\n%s\n\n", p.in(bold, "Your turn"))
	fmt.Fprintf(p.w, "The guard is listening on %s. Send a refund, then send it again in other words:\n\n  %s\n\n", d.own.url, try[0])
	fmt.Fprintf(p.w, "See what waits for a person (the lost refund is there):\n\n  %s\n\n", try[1])
	fmt.Fprintf(p.w, "The policies are in %s; edit them and they are in force. What the tools count: http://%s/\nCtrl-C ends the demo and removes all of it.\n",
		d.policies, d.tools.addr)
	return ok, nil
}
