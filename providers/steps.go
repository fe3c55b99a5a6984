package providers

import (
	"maps"
	"slices"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// Gained returns the items of a set that after has and before has not; with
// the two exchanged, those that were lost.
func Gained(before, after schema.Value) []string {
	var list []string
	for _, item := range after.AsSet() {
		if !before.Has(item) {
			list = append(list, item)
		}
	}
	return list
}

// Include returns the effects of items that come into a set, Exclude those of
// items that leave it.
func Include(addr schema.Address, attr string, items []string) []schema.Effect {
	return each(addr, attr, schema.Include, items)
}

// Exclude is Include for items that leave.
func Exclude(addr schema.Address, attr string, items []string) []schema.Effect {
	return each(addr, attr, schema.Exclude, items)
}

func each(addr schema.Address, attr string, op schema.Op, items []string) []schema.Effect {
	list := make([]schema.Effect, len(items))
	for i, item := range items {
		list[i] = schema.Effect{Addr: addr, Attr: attr, Op: op, Item: item}
	}
	return list
}

// Joining returns the moves of members into a group, Leaving those out of it.
func Joining(group string, members []string) []access.Move {
	list := make([]access.Move, len(members))
	for i, m := range members {
		list[i] = access.Move{Kind: access.MoveMembership, Member: m, Group: group, From: access.Out, To: access.In}
	}
	return list
}

// Leaving is Joining for members who leave.
func Leaving(group string, members []string) []access.Move {
	list := Joining(group, members)
	for i := range list {
		list[i] = list[i].Reverse()
	}
	return list
}

// Granting returns the moves of a source from what it grants before to what it
// grants after, levels by permission: those that raise and those that lower.
// A permission that is not in a map is at the lowest level of scale.
func Granting(source string, scale *access.Scale, before, after map[string]access.Level) (up, down []access.Move) {
	keys := map[string]bool{}
	for k := range before {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		from, to := before[k], after[k]
		m := access.Move{Kind: access.MoveGrant, Source: source, Permission: k, From: scale.Levels[from], To: scale.Levels[to]}
		switch {
		case to > from:
			up = append(up, m)
		case to < from:
			down = append(down, m)
		}
	}
	return up, down
}

// Before returns an object's attribute, absent for no object.
func Before(o *schema.Object, attr string) schema.Value {
	if o == nil {
		return schema.Absent
	}
	return o.Get(attr)
}
