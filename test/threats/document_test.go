package threats_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The columns of the table of attackers, and what its cells may say.
var (
	columns  = []string{"who, or what", "software", "process", "service", "vm"}
	verdicts = map[string]struct{ shown bool }{
		"stopped": {true},
		"partly":  {true},
		"not":     {},
		"unclear": {},
		"–":       {}, // there is nothing that could be attacked
	}
)

var (
	cell       = regexp.MustCompile(`^(\S+)((?: \[[a-z0-9-]+\])*)$`)
	link       = regexp.MustCompile(`\[([a-z0-9-]+)\]`)
	reference  = regexp.MustCompile(`\((\d+)\)$`)
	note       = regexp.MustCompile(`^(\d+)\. `)
	definition = regexp.MustCompile(`^\[([a-z0-9-]+)\]: (\S+) "([^"]+)"$`)
)

// evidence is a test that the document names.
type evidence struct{ path, test string }

// document is what THREATS.md says.
type document struct {
	threats []threat
	shows   []string            // the names in the table of tests
	named   []string            // the names in the text around the tables
	notes   []string            // their numbers
	tests   map[string]evidence // by name
}

// threat is a row of the table of attackers.
type threat struct {
	who   string
	cells []string
}

// parse reads the document. It fails where a line looks like one of the tables or definitions and is not.
func parse(text string) (*document, error) {
	d := &document{tests: map[string]evidence{}}
	var table []string // the header of the table that we are in
	for n, line := range strings.Split(text, "\n") {
		fields, isRow := row(line)
		switch {
		case !isRow:
			table = nil
		case table == nil:
			table = fields
			continue
		}
		var err error
		switch {
		case !isRow:
			err = d.text(line)
		case strings.Trim(line, "|-: ") == "": // the line below the header
		case slices.Equal(table, columns):
			err = d.addThreat(fields)
		case table[0] == "test":
			d.shows = append(d.shows, link.FindString(fields[0]))
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return d, nil
}

// row splits a line of a table.
func row(line string) ([]string, bool) {
	inner, isRow := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !isRow {
		return nil, false
	}
	fields := strings.Split(strings.TrimSuffix(inner, "|"), "|")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields, true
}

// text reads a line outside of the tables: the definition of a name, or words with names in them.
func (d *document) text(line string) error {
	if !strings.HasPrefix(line, "[") || !strings.Contains(line, "]: ") {
		d.named = append(d.named, link.FindAllString(line, -1)...)
		if m := note.FindStringSubmatch(line); m != nil {
			d.notes = append(d.notes, m[1])
		}
		return nil
	}
	m := definition.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("%q is not [name]: path \"TestName\"", line)
	}
	if _, twice := d.tests[m[1]]; twice {
		return fmt.Errorf("[%s] is defined twice", m[1])
	}
	d.tests[m[1]] = evidence{m[2], m[3]}
	return nil
}

func (d *document) addThreat(fields []string) error {
	if len(fields) != len(columns) {
		return fmt.Errorf("%d cells, want %d", len(fields), len(columns))
	}
	if strings.Join(fields[1:], "") == "" {
		return nil // a heading within the table
	}
	d.threats = append(d.threats, threat{fields[0], fields[1:]})
	return nil
}

// check gives what is wrong with the document. exists says whether a test is there.
func (d *document) check(exists func(evidence) error) (wrong []error) {
	used := map[string]bool{}
	for _, t := range d.threats {
		for i, text := range t.cells {
			names, err := claim(text)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s, %s: %w", t.who, columns[i+1], err))
			}
			for _, name := range names {
				used[name] = true
				if _, ok := d.tests[name]; !ok {
					wrong = append(wrong, fmt.Errorf("%s, %s: there is no test [%s]", t.who, columns[i+1], name))
				}
			}
		}
	}
	var references []string
	for _, t := range d.threats {
		if m := reference.FindStringSubmatch(t.who); m != nil {
			references = append(references, m[1])
		}
	}
	if !slices.Equal(references, d.notes) {
		wrong = append(wrong, fmt.Errorf("the table refers to notes %v, and there are %v", references, d.notes))
	}
	for _, name := range d.named {
		if _, ok := d.tests[strings.Trim(name, "[]")]; !ok {
			wrong = append(wrong, fmt.Errorf("in the text: there is no test %s", name))
		}
	}
	for name, test := range d.tests {
		if !used[name] && !slices.Contains(d.named, "["+name+"]") {
			wrong = append(wrong, fmt.Errorf("[%s] shows nothing", name))
		}
		if !slices.Contains(d.shows, "["+name+"]") {
			wrong = append(wrong, fmt.Errorf("the document does not say what [%s] does", name))
		}
		if err := exists(test); err != nil {
			wrong = append(wrong, fmt.Errorf("[%s]: %w", name, err))
		}
	}
	return wrong
}

// claim reads a cell: a verdict, and the names of the tests that show it.
func claim(text string) ([]string, error) {
	m := cell.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%q is no verdict with names of tests", text)
	}
	verdict, ok := verdicts[m[1]]
	var names []string
	for _, found := range link.FindAllStringSubmatch(m[2], -1) {
		names = append(names, found[1])
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("%q is no verdict", m[1])
	case verdict.shown && len(names) == 0:
		return nil, fmt.Errorf("%s, and no test shows it", m[1])
	}
	return names, nil
}
