package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/schema"
)

// erase takes out of the desired state what a removed block names, and what
// nothing describes where unmanaged says remove. What is fixed stays.
func (b *binder) erase(c *schema.Config) {
	for _, r := range c.Removals {
		if o := b.meant(r); o != nil {
			b.drop(o, &schema.Object{Addr: r.From, Decl: r.Decl})
		}
	}
	b.removeUnmanaged(c.Guard)
}

// meant returns the live object that a removed block names, nil if it is gone.
func (b *binder) meant(r schema.Removal) *schema.Object {
	var list []*schema.Object
	for _, o := range b.b.live.Of(r.From.Type()) {
		if r.ID != "" && o.ID == r.ID || r.ID == "" && o.Key == r.Name {
			list = append(list, o)
		}
	}
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	slices.Sort(ids)
	b.found = append(b.found, &finding{Rule: "duplicate-name", Address: r.From, Range: r.Decl,
		Message: fmt.Sprintf("%d live %ss are called %q: %s", len(list), r.From.Type(), r.Name, strings.Join(ids, ", ")),
		Fix:     fmt.Sprintf("write id = %q (or another of them) in the removed block", ids[0])})
	return nil
}

// drop takes a live object out of the desired state, and out of everything
// that refers to it. By is the block that asks for it.
func (b *binder) drop(o, by *schema.Object) {
	if by == nil {
		by = &schema.Object{Addr: o.Addr}
	}
	if o.Fixed != "" {
		b.found = append(b.found, &finding{Rule: "admin-untouchable", Address: by.Addr, Range: by.Decl, Message: fmt.Sprintf("%s stays: %s", o.Addr, o.Fixed),
			Fix: "take the block out; rolecall never changes it"})
		return
	}
	delete(b.b.desired.Objects, o.Addr)
	attr, item := "roles", string(o.Addr)
	if o.Type == "member" {
		attr, item = "members", o.Key
	}
	for _, other := range b.b.desired.Objects {
		if v := other.Get(attr); v.Has(item) {
			other.Put(attr, schema.Set(slices.DeleteFunc(slices.Clone(v.AsSet()), func(s string) bool { return s == item })...))
		}
	}
}

// hold holds the steps that touch what a hold block names until its day, and
// those that are outside of what the plan was asked for. They stay part of what
// the configuration asks for, so that nothing is carried out that is safe only
// after them.
func (in *Input) hold(steps []schema.Step, changes []*schema.Change) {
	held := map[schema.Address]string{}
	for _, h := range in.Config.Holds {
		if h.Until.Begun(in.Now) {
			continue
		}
		why := "hold " + schema.Quote(h.Name)
		if h.Until != "" {
			why += " until " + string(h.Until)
		}
		if h.Reason != "" {
			why += ": " + h.Reason
		}
		for _, addr := range h.Objects {
			held[addr] = why
		}
	}
	for i := range steps {
		s := &steps[i]
		on := touched(s)
		for _, addr := range on {
			if why := held[addr]; why != "" && s.Held == "" {
				s.Held = why
			}
		}
		switch {
		case s.Held != "":
		case len(in.Only) > 0 && !slices.Contains(in.Only, s.Phase):
			s.Held = "is not in --only " + strings.Join(in.Only, ",")
		case len(in.Targets) > 0 && !slices.ContainsFunc(on, func(a schema.Address) bool { return slices.Contains(in.Targets, a) }):
			s.Held = "is not a --target"
		}
	}
	for _, c := range changes {
		if why := held[c.Addr]; why != "" && c.Held == "" {
			c.Held = why
		}
	}
}

// touched returns the objects that a step is about.
func touched(s *schema.Step) []schema.Address {
	list := []schema.Address{s.Addr}
	for _, e := range s.Effects {
		list = append(list, e.Addr)
	}
	for _, v := range s.Moves {
		if v.Member != "" {
			list = append(list, memberAddress(v.Member))
		}
		if v.Group != "" {
			list = append(list, schema.Address(v.Group))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// named puts each target as its object is called, and reports a phase or a
// target that there is not, with what is there instead.
func (in *Input) named(b *binding) error {
	for _, phase := range in.Only {
		if phases := in.System.Phases(); !slices.Contains(phases, phase) {
			return &OptionError{"--only", phase, phases}
		}
	}
	in.Targets = slices.Clone(in.Targets)
	for i, t := range in.Targets {
		if b.live.Objects[t] != nil || b.desired.Objects[t] != nil {
			continue
		}
		var names []string
		for _, s := range []*schema.State{b.live, b.desired} {
			for a := range s.Objects {
				if a.Type() == t.Type() {
					names = append(names, string(a))
				}
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
		name := schema.Spelled(string(t), names)
		if !slices.Contains(names, name) {
			return &OptionError{"--target", name, names}
		}
		in.Targets[i] = schema.Address(name)
	}
	return nil
}

// An OptionError says that a plan was asked for something that there is not.
type OptionError struct {
	Option, Value string
	There         []string // what there is
}

func (e *OptionError) Error() string {
	if n := schema.Nearest(e.Value, e.There); n != "" {
		return fmt.Sprintf("%s %s: there is nothing of that name; did you mean %s?", e.Option, e.Value, n)
	}
	if len(e.There) > 0 && len(e.There) <= 20 {
		return fmt.Sprintf("%s %s: there is nothing of that name; there are %s", e.Option, e.Value, strings.Join(e.There, ", "))
	}
	return fmt.Sprintf("%s %s: there is nothing of that name", e.Option, e.Value)
}

// options are what the plan was asked for, to ask for it again.
func (in *Input) options() Options {
	return Options{Accept: in.Accept, AcceptGaps: in.Order.AcceptGaps, Only: in.Only, Targets: in.Targets, NarrowOnly: in.Order.NarrowOnly}
}

// acceptedBy says who takes the risk of a finding, "" if nobody does: an accept
// block that has not expired and covers as much of it, or --accept. Each takes
// one risk, by its name.
func (in *Input) acceptedBy(f *finding, name string, members int) string {
	if slices.Contains(unacceptable, f.Rule) && !f.Gap {
		return ""
	}
	if f.Rule == "unsafe-order" && in.Order.AcceptGaps { // which is what the option is for
		return "--accept-gaps"
	}
	if slices.Contains(in.Accept, name) {
		return "--accept " + name
	}
	for _, x := range in.Config.Accepts {
		if x.Name != name || x.Expires.Begun(in.Now) {
			continue
		}
		guard := strings.HasPrefix(name, "guard.")
		switch {
		case x.UpTo == nil && guard: // a guard is passed up to somewhere
		case x.UpTo == nil, x.UpTo.Allows(f.Much, max(f.Of, 0)):
			return fmt.Sprintf("%s:%d", x.Decl.Filename, x.Decl.Start.Line)
		}
	}
	return ""
}
