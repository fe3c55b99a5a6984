package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/schema"
)

// read reads the objects that steps touch, as they should be by now or, where
// a step creates them, by their name.
func (r *runner) read(ctx context.Context, steps []*schema.Step) (map[schema.Address]*schema.Object, error) {
	var list []*schema.Object
	seen := map[schema.Address]bool{}
	for _, step := range steps {
		for _, e := range step.Effects {
			if seen[e.Addr] {
				continue
			}
			seen[e.Addr] = true
			o := r.expect[e.Addr]
			if o == nil {
				o = r.Plan.Desired.Objects[e.Addr]
			}
			if o == nil {
				return nil, fmt.Errorf("%s: step %s touches an object that the plan does not know", e.Addr, step.ID)
			}
			list = append(list, o)
		}
	}
	found, err := r.Reader.ReadAgain(ctx, list)
	if err != nil {
		return nil, err
	}
	objects := map[schema.Address]*schema.Object{}
	var known []*schema.Object
	for i, o := range found {
		if o == nil {
			continue
		}
		c := o.Clone()
		c.Addr = list[i].Addr
		objects[c.Addr] = c
		known = append(known, c)
	}
	r.Reader.Remember(known)
	r.references(objects)
	return objects, nil
}

// references turns the ids of roles and groups into addresses.
func (r *runner) references(objects map[schema.Address]*schema.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]string{}
	for _, all := range []map[schema.Address]*schema.Object{r.expect, objects} {
		for addr, o := range all {
			if (o.Type == "role" || o.Type == "group") && o.ID != "" {
				ids[o.ID] = string(addr)
			}
		}
	}
	for _, o := range objects {
		for _, attr := range []string{"roles", "groups"} {
			v := o.Get(attr)
			if v.Kind() != schema.KindSet {
				continue
			}
			refs := make([]string, len(v.AsSet()))
			for i, id := range v.AsSet() {
				refs[i] = id
				if addr, ok := ids[id]; ok {
					refs[i] = addr
				}
			}
			o.Put(attr, schema.Set(refs...))
		}
	}
}

// shows reports whether an object as it was read shows an effect. What no read
// shows at all is taken as shown: its proof says so in the plan.
func (r *runner) shows(o *schema.Object, e schema.Effect) bool {
	if o != nil && e.Attr != "" {
		if _, readable := o.Attrs[e.Attr]; !readable {
			return true
		}
	}
	return e.Shown(o)
}

// unchanged compares what the steps touch with what the plan saw, and what was
// done since.
func (r *runner) unchanged(ctx context.Context, steps []*schema.Step) error {
	objects, err := r.read(ctx, steps)
	if err != nil {
		return r.partial(steps[0].ID, err)
	}
	var stale []string
	for _, step := range steps {
		for _, e := range step.Effects {
			for _, e := range r.whole(objects[e.Addr], e) {
				if s := r.differs(objects[e.Addr], e); s != "" && !slices.Contains(stale, s) {
					stale = append(stale, s)
				}
			}
		}
	}
	if len(stale) > 0 {
		return r.partial(steps[0].ID, fmt.Errorf("%w: %s; plan again", ErrStale, strings.Join(stale, "; ")))
	}
	return nil
}

// whole returns the effect and one on each other list of its object. Who joins a
// group gets what its roles give, so a role that somebody else attached since
// matters to a step that is about members alone.
func (r *runner) whole(have *schema.Object, e schema.Effect) []schema.Effect {
	list := []schema.Effect{e}
	want := r.expect[e.Addr]
	if have == nil || want == nil {
		return list
	}
	for _, attr := range slices.Sorted(maps.Keys(have.Attrs)) {
		if v, ok := want.Attrs[attr]; ok && attr != e.Attr && v.Kind() == schema.KindSet {
			list = append(list, schema.Effect{Addr: e.Addr, Attr: attr})
		}
	}
	return list
}

// differs says how an object that was read differs from what it should be, as
// far as an effect is about it; "" if it does not.
func (r *runner) differs(have *schema.Object, e schema.Effect) string {
	want := r.expect[e.Addr]
	switch {
	case want == nil && have == nil:
		return ""
	case want == nil:
		if e.Attr != "" {
			return ""
		}
		return fmt.Sprintf("%s is there already", e.Addr)
	case have == nil:
		return fmt.Sprintf("%s is not there any more", e.Addr)
	case e.Attr == "":
		return ""
	}
	a, readable := have.Attrs[e.Attr]
	b := want.Get(e.Attr)
	if !readable || a.Kind() == schema.KindUnavailable || b.Kind() == schema.KindUnavailable {
		return ""
	}
	if late := r.late[e.Addr]; len(late) > 0 && a.Kind() == schema.KindSet {
		drop := func(v schema.Value) schema.Value {
			return schema.Set(slices.DeleteFunc(slices.Clone(v.AsSet()), func(s string) bool { return slices.Contains(late, s) })...)
		}
		a, b = drop(a), drop(b)
	}
	if a.Equal(b) || a.Kind() == schema.KindAbsent && len(b.AsSet())+len(b.AsMap()) == 0 && b.Kind() != schema.KindText {
		return ""
	}
	return fmt.Sprintf("%s of %s changed%s", e.Attr, e.Addr, change(b, a))
}

// change says how a value changed, as far as one line holds it.
func change(before, after schema.Value) string {
	if before.Kind() == schema.KindSet && after.Kind() == schema.KindSet {
		var parts []string
		for _, s := range after.AsSet() {
			if !before.Has(s) {
				parts = append(parts, "+"+s)
			}
		}
		for _, s := range before.AsSet() {
			if !after.Has(s) {
				parts = append(parts, "-"+s)
			}
		}
		if len(parts) > 3 {
			parts = append(parts[:3], fmt.Sprintf("and %d more", len(parts)-3))
		}
		return " (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf(" from %s to %s", before, after)
}

// proven reads back what the steps touched until every effect is shown. A read
// may go on showing what was for a while.
func (r *runner) proven(ctx context.Context, steps []*schema.Step) error {
	wait := 200 * time.Millisecond
	for waited := time.Duration(0); ; {
		objects, err := r.read(ctx, steps)
		if err != nil {
			return r.partial(steps[0].ID, err)
		}
		missing := r.missing(objects, steps)
		if missing == "" {
			r.accept(objects, steps)
			return nil
		}
		if waited >= r.Lag {
			return r.partial(missing, fmt.Errorf("%w, %s after it was done", ErrNotShown, waited))
		}
		if err := r.Sleep(ctx, wait); err != nil {
			return r.partial(missing, err)
		}
		waited += wait
		wait = min(2*wait, 10*time.Second)
	}
}

// missing returns the first step of which an effect is not shown.
func (r *runner) missing(objects map[schema.Address]*schema.Object, steps []*schema.Step) string {
	for _, step := range steps {
		for _, e := range step.Effects {
			if !e.Late && !r.shows(objects[e.Addr], e) {
				return step.ID
			}
		}
	}
	return ""
}

// accept takes over what was read as what should be from now on.
func (r *runner) accept(objects map[schema.Address]*schema.Object, steps []*schema.Step) {
	for _, step := range steps {
		if unreadable(objects, step) {
			r.result.Unproven = append(r.result.Unproven, step)
		}
		for _, e := range step.Effects {
			if e.Late && e.Op == schema.Include {
				r.late[e.Addr] = append(r.late[e.Addr], e.Item)
			}
			o := r.expect[e.Addr]
			if o != nil || e.Attr == "" {
				o = e.Make(o)
			}
			if o == nil {
				delete(r.expect, e.Addr)
				continue
			}
			if read := objects[e.Addr]; read != nil && o.ID == "" {
				o = o.Clone()
				o.ID = read.ID
				for name, v := range read.Attrs { // what the creation brought with it
					if _, ok := o.Attrs[name]; !ok {
						o.Put(name, v)
					}
				}
			}
			r.expect[e.Addr] = o
		}
	}
}
