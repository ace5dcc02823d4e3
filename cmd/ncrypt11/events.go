package main

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/p11uri"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/events"
)

// eventFlags are the flags of `events`.
type eventFlags struct {
	since, token string
	kinds        []string
}

func (a *app) eventsCommand() *cobra.Command {
	var f eventFlags
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened to keys",
		Long: "Shows what guards, and programs where there is no guard, have logged: in files, and in the journal of systemd where there is one.\n" +
			"It is shown as it was logged; what somebody else than root, this user or the guard's user wrote is marked so.",
		Example: "  ncrypt11 events --since 24h --kind pin-wrong,lockout",
		Args:    arguments(cobra.NoArgs),
		RunE:    func(*cobra.Command, []string) error { return a.events(&f) },
	}
	cmd.Flags().StringVar(&f.since, "since", "", "events since `WHEN`: a time ago like 90m or 7d, or a time like 2026-01-31 or \"2026-01-31 15:04\"")
	cmd.Flags().StringSliceVar(&f.kinds, "kind", nil, "events of this `KIND`; may be given more than once")
	cmd.Flags().StringVar(&f.token, "token", "", "events of this `TOKEN`: its label, serial number or URI")
	complete(cmd, "kind", eventKinds)
	return cmd
}

func eventKinds() []string {
	var names []string
	for _, kind := range events.Kinds() {
		names = append(names, string(kind))
	}
	return names
}

// history is the JSON of `events`.
type history struct {
	Events   []events.Event `json:"events"`
	Problems []string       `json:"problems"` // what could not be read
}

// maxProblems is how many are told one by one.
const maxProblems = 20

func (a *app) events(f *eventFlags) error {
	cfg, err := config.Load(a.getenv)
	if err != nil {
		return err
	}
	since, err := parseSince(f.since, time.Now())
	if err != nil {
		return err
	}
	labels := tokenLabels(cfg)
	keep, err := f.filter(labels)
	if err != nil {
		return err
	}
	h := history{[]events.Event{}, []string{}}
	for _, dir := range cfg.LogDirs() {
		h.add(events.Read(dir, since, keep))
	}
	if a.getenv("NCRYPT11_HOME") == "" { // there everything is in files
		h.addJournal(since, keep)
	}
	slices.SortStableFunc(h.Events, func(a, b events.Event) int { return a.Time.Compare(b.Time) })
	if more := len(h.Problems) - maxProblems; more > 0 {
		h.Problems = append(h.Problems[:maxProblems], fmt.Sprintf("%d more like these", more))
	}
	if a.json {
		return a.printJSON(h)
	}
	return a.printHistory(&h, labels, trustedWriters(cfg))
}

// filter gives what the flags say of an event.
func (f *eventFlags) filter(labels map[string]string) (func(*events.Event) bool, error) {
	known := eventKinds()
	for _, kind := range f.kinds {
		if !slices.Contains(known, kind) {
			return nil, usagef("--kind is one of %s, not %q", strings.Join(known, ", "), kind)
		}
	}
	var serials []string
	if f.token != "" {
		var err error
		if serials, err = serialsOf(f.token, labels); err != nil {
			return nil, err
		}
	}
	return func(e *events.Event) bool {
		return (f.kinds == nil || slices.Contains(f.kinds, string(e.Kind))) && (serials == nil || slices.Contains(serials, e.Token))
	}, nil
}

// tokenLabels gives the labels of the tokens that there are, by their serial numbers.
func tokenLabels(cfg *config.Config) map[string]string {
	labels := map[string]string{}
	list, _ := storedTokens(cfg) // what cannot be read has no label
	for _, t := range list {
		labels[t.Serial] = ""
		if t.header != nil {
			labels[t.Serial] = t.header.Label
		}
	}
	return labels
}

// serialsOf gives the serial numbers that --token means. A token that is gone can be named by its own.
func serialsOf(name string, labels map[string]string) ([]string, error) {
	matches, err := matcher(name)
	if err != nil {
		return nil, err
	}
	var serials []string
	for serial, label := range labels {
		info := ck.TokenInfo{Label: label, SerialNumber: serial, Model: "ncrypt11", ManufacturerID: token.Manufacturer}
		if matches(&present{info: info}) {
			serials = append(serials, serial)
		}
	}
	serial := name
	if u, err := p11uri.Parse(name); p11uri.Is(name) && err == nil {
		serial = u.Path[p11uri.Serial]
	}
	if _, err := strconv.ParseUint(serial, 16, 64); len(serials) == 0 && len(serial) == 16 && err == nil {
		serials = append(serials, serial)
	}
	if len(serials) == 0 {
		return nil, fmt.Errorf("there is no token %q; events of one that was deleted are found by its serial number", shownName(name))
	}
	return serials, nil
}

// parseSince reads --since; the zero time stands for ever.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, err := strconv.ParseUint(strings.TrimSuffix(text, "d"), 10, 16); err == nil && strings.HasSuffix(text, "d") {
		return now.AddDate(0, 0, -int(days)), nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef("--since is a time ago like 90m or 7d, or a time like 2026-01-31 or \"2026-01-31 15:04\", not %q", text)
}

// add takes in what a source has.
func (h *history) add(source iter.Seq2[events.Event, error]) {
	for e, err := range source {
		if err != nil {
			h.Problems = append(h.Problems, oneLine(err.Error()))
			continue
		}
		h.Events = append(h.Events, e)
	}
}

// maxFromJournal bounds what is read of the journal: the latest so many.
const maxFromJournal = 100000

// addJournal takes in what the journal has, where there is one.
func (h *history) addJournal(since time.Time, keep func(*events.Event) bool) {
	program, err := exec.LookPath("journalctl")
	if err != nil {
		return
	}
	args := []string{
		"--identifier=" + events.Identifier, "--output=json", "--output-fields=NCRYPT11_EVENT,_UID", "--all", "--quiet", "--no-pager",
		"--lines=" + strconv.Itoa(maxFromJournal),
	}
	if !since.IsZero() {
		args = append(args, "--since=@"+strconv.FormatInt(since.Unix(), 10))
	}
	cmd := exec.Command(program, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	output, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		h.add(events.ReadJournal(output, since, keep))
		err = cmd.Wait()
	}
	if err != nil {
		h.Problems = append(h.Problems, oneLine(fmt.Sprintf("journalctl: %v %s", err, display(complaint.String()))))
	}
}

// trustedWriters are those whose events need no mark: root, this user, and whose the logs' directories are.
func trustedWriters(cfg *config.Config) []string {
	uids := []uint32{0, uint32(os.Geteuid())}
	for _, dir := range cfg.LogDirs() {
		var st syscall.Stat_t
		if err := syscall.Stat(dir, &st); err == nil {
			uids = append(uids, st.Uid)
		}
	}
	var names []string
	for _, uid := range uids {
		names = append(names, fmt.Sprintf("user:%d", uid))
	}
	return names
}

func (a *app) printHistory(h *history, labels map[string]string, trusted []string) error {
	for _, problem := range h.Problems {
		fmt.Fprintln(a.stderr, "Problem:", display(problem))
	}
	if len(h.Events) == 0 {
		fmt.Fprintln(a.stderr, "There is no such event.")
		return nil
	}
	rows := make([][]string, 0, len(h.Events))
	for i := range h.Events {
		e := &h.Events[i]
		row := []string{e.Time.Local().Format(time.DateTime), string(e.Kind), e.Who(), tokenName(e.Token, labels), whichKey(e), e.Why()}
		if e.Guard != "" {
			row[5] += " [" + e.Guard + " guard]"
		}
		if !slices.Contains(trusted, e.LoggedBy) {
			row[5] += " [logged by " + e.LoggedBy + "]"
		}
		for i, cell := range row {
			row[i] = display(strings.TrimSpace(cell))
			if row[i] == "" {
				row[i] = "-"
			}
		}
		rows = append(rows, row)
	}
	return printTable(a.stdout, []string{"TIME", "KIND", "WHO", "TOKEN", "KEY", "WHY"}, rows)
}

// tokenName is a token as people know it.
func tokenName(serial string, labels map[string]string) string {
	if label := labels[serial]; label != "" {
		return label
	}
	return serial
}

// whichKey is what is known of a key, and of what was done with it.
func whichKey(e *events.Event) string {
	var parts []string
	for _, part := range []string{e.Key, e.KeyType, e.Mechanism} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}
