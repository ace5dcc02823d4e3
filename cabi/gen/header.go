package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// header is what the generator knows about p11.h.
type header struct {
	constants []constant
	functions []function
	// lists holds the member names of each struct CK_FUNCTION_LIST..., in order, by the struct's name.
	lists map[string][]string
}

// constant is one #define of a number. alias is the name that stood in place of the number, or "".
type constant struct {
	name  string
	value uint64
	alias string
}

// function is one prototype.
type function struct {
	name   string
	params []param
}

type param struct{ ctype, name string }

var (
	defineForm   = regexp.MustCompile(`^#define\s+(\w+)\s+(\S.*)$`)
	numberForm   = regexp.MustCompile(`^(0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)(?:UL)?$`)
	nameForm     = regexp.MustCompile(`^[A-Z]\w*$`)
	sumForm      = regexp.MustCompile(`^\((\w+) \+ (\w+)\)$`)
	functionForm = regexp.MustCompile(`^extern CK_RV (C_\w+)\((.*)\);$`)
	paramForm    = regexp.MustCompile(`^(CK_\w+) (\w+)$`)
	structForm   = regexp.MustCompile(`^(?:typedef )?struct (\w+) \{$`)
	memberForm   = regexp.MustCompile(`^CK_(C_\w+) (C_\w+);$`)
	ignoredForm  = regexp.MustCompile(`^(#(ifndef|ifdef|endif)\b.*|extern "C" \{|\}|typedef [^{]*;)$`)
)

// noNumber are the macros that are not constants of the interface.
var noNumber = map[string]bool{"NCRYPT11_P11_H": true, "NULL_PTR": true, "TRUE": true, "FALSE": true}

// parser reads a header one statement at a time: a directive, or text up to the end of its line, or of its prototype.
type parser struct {
	header
	line    int
	values  map[string]uint64
	inside  string // the struct whose members are being read, or ""
	pending string // the beginning of a statement that goes on in the next line
	comment bool
}

// parseHeader reads the C of p11.h, of which it accepts only the forms that p11.h says it uses.
func parseHeader(r io.Reader) (*header, error) {
	p := &parser{header: header{lists: map[string][]string{}}, values: map[string]uint64{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.line++
		if err := p.readLine(lines.Text()); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if p.comment || p.pending != "" || p.inside != "" {
		return nil, fmt.Errorf("line %d: the header ends inside a comment, prototype or struct", p.line)
	}
	return &p.header, p.checkLists()
}

func (p *parser) readLine(line string) error {
	text := strings.TrimSpace(p.stripComments(line))
	if text == "" {
		return nil
	}
	if p.pending != "" {
		text = p.pending + " " + text
		p.pending = ""
	}
	if opensStatement(text) {
		p.pending = text
		return nil
	}
	switch {
	case p.inside != "":
		return p.member(text)
	case strings.HasPrefix(text, "#define"):
		return p.define(text)
	case structForm.MatchString(text):
		p.inside = structForm.FindStringSubmatch(text)[1]
		return nil
	case strings.HasPrefix(text, "extern CK_RV"):
		return p.prototype(text)
	case ignoredForm.MatchString(text):
		return nil
	}
	return fmt.Errorf("not understood: %q", text)
}

// opensStatement says whether text is a prototype or typedef that ends in a later line.
func opensStatement(text string) bool {
	started := strings.HasPrefix(text, "extern CK_RV") || strings.HasPrefix(text, "typedef")
	return started && !strings.HasSuffix(text, ";") && !strings.HasSuffix(text, "{")
}

func (p *parser) stripComments(line string) string {
	var text strings.Builder
	for line != "" {
		mark := "/*"
		if p.comment {
			mark = "*/"
		}
		before, after, found := strings.Cut(line, mark)
		if !p.comment {
			text.WriteString(before)
		}
		if found {
			p.comment = !p.comment
		}
		line = after
	}
	return text.String()
}

func (p *parser) define(text string) error {
	if fields := strings.Fields(text); len(fields) == 2 && noNumber[fields[1]] {
		return nil
	}
	m := defineForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("not a constant: %q", text)
	}
	name, body := m[1], m[2]
	if noNumber[name] {
		return nil
	}
	if _, twice := p.values[name]; twice {
		return fmt.Errorf("%s is defined twice", name)
	}
	value, err := p.value(body)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c := constant{name: name, value: value}
	if nameForm.MatchString(body) {
		c.alias = body
	}
	p.values[name] = value
	p.constants = append(p.constants, c)
	return nil
}

func (p *parser) value(body string) (uint64, error) {
	if body == "(~0UL)" {
		return ^uint64(0), nil
	}
	if m := numberForm.FindStringSubmatch(body); m != nil {
		return strconv.ParseUint(m[1], 0, 64)
	}
	if v, known := p.values[body]; known {
		return v, nil
	}
	if m := sumForm.FindStringSubmatch(body); m != nil {
		base, err := p.value(m[1])
		if err != nil {
			return 0, err
		}
		index, err := p.value(m[2])
		return base + index, err
	}
	return 0, fmt.Errorf("neither a number nor a name defined above: %q", body)
}

func (p *parser) prototype(text string) error {
	m := functionForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("not a prototype: %q", text)
	}
	f := function{name: m[1]}
	for _, field := range strings.Split(m[2], ", ") {
		pm := paramForm.FindStringSubmatch(field)
		if pm == nil {
			return fmt.Errorf("%s: not a parameter with type and name: %q", f.name, field)
		}
		f.params = append(f.params, param{ctype: pm[1], name: pm[2]})
	}
	p.functions = append(p.functions, f)
	return nil
}

// member keeps the members of the function lists; of the other structs the C compiler takes care.
func (p *parser) member(text string) error {
	if strings.HasPrefix(text, "}") {
		p.inside = ""
		return nil
	}
	if !strings.HasPrefix(p.inside, "CK_FUNCTION_LIST") || text == "CK_VERSION version;" {
		return nil
	}
	m := memberForm.FindStringSubmatch(text)
	if m == nil || m[1] != m[2] {
		return fmt.Errorf("%s: not a member of the form CK_C_X C_X: %q", p.inside, text)
	}
	p.lists[p.inside] = append(p.lists[p.inside], m[2])
	return nil
}

// checkLists holds each function list against the prototypes, which stand in the same order.
func (p *parser) checkLists() error {
	for list, members := range p.lists {
		if len(members) > len(p.functions) {
			return fmt.Errorf("%s has %d functions, of which only %d have a prototype", list, len(members), len(p.functions))
		}
		for i, member := range members {
			if p.functions[i].name != member {
				return fmt.Errorf("%s: function %d is %s, the prototypes have %s there", list, i+1, member, p.functions[i].name)
			}
		}
	}
	return nil
}
