package plan

import (
	"slices"

	"github.com/rolecall/rolecall/schema/access"
)

// A proof is what it takes to check the order of the stages again without
// trusting whoever found it: everything that decides access, before anything
// and in the end, by name. With the moves of the steps it is the whole argument.
//
// Of each thing there is one record with its value before and its value in the
// end (what is held included). Where something could not be read there is more
// than one reading, and a record for a later one where it differs from the
// first.
type proof struct {
	model    *access.Model
	from, to []*access.State
}

// The records of a proof.
type (
	proofPermission struct {
		Key    string   `json:"key"`
		Levels []string `json:"levels"` // lowest first
	}
	proofStanding struct {
		Name       string            `json:"name"`
		FromGroups bool              `json:"from_groups"`
		Uncapped   bool              `json:"uncapped"`
		Absent     bool              `json:"absent"`
		Own        map[string]string `json:"own"` // levels above nothing
	}
	proofSeat struct {
		Name string            `json:"name"`
		Cap  map[string]string `json:"cap"` // levels below the top
	}
	proofSetting struct {
		Key    string   `json:"key"`
		Levels []string `json:"levels,omitempty"` // lowest first; none for amounts of money
	}

	// A sided is something of one reading before and in the end.
	sided[T any] struct {
		Reading int    `json:"reading"`
		Name    string `json:"name,omitempty"`
		Before  T      `json:"before"`
		After   T      `json:"after"`
	}
	proofMember struct {
		Standing string            `json:"standing"`
		Seat     string            `json:"seat,omitempty"`
		Groups   []string          `json:"groups,omitempty"`
		Settings map[string]string `json:"settings,omitempty"` // of their own
	}
	proofGroup struct {
		Sources  []string          `json:"sources,omitempty"`
		Settings map[string]string `json:"settings,omitempty"`
		Speaks   []string          `json:"speaks,omitempty"` // permissions its list has a say in
		Allows   map[string]string `json:"allows,omitempty"` // of these, the levels above nothing that it lets through
	}
	proofOrganization struct {
		Ceiling  map[string]string          `json:"ceiling"` // levels below the top
		Settings map[string]proofSettingOrg `json:"settings,omitempty"`
	}
	proofSettingOrg struct {
		Seats        map[string]string `json:"seats,omitempty"`
		Default      string            `json:"default,omitempty"`
		Fallback     string            `json:"fallback,omitempty"`
		Ceiling      string            `json:"ceiling,omitempty"`
		Highest      bool              `json:"highest,omitempty"`
		SeatCompared bool              `json:"seat_compared,omitempty"`
	}
)

func (p *proof) write(w *writer) {
	if p == nil {
		return
	}
	m, u := p.model, p.model.Universe
	for i := range u.Len() {
		perm := u.Permission(access.Perm(i))
		w.record("model.permission", proofPermission{perm.Key, perm.Scale.Levels})
	}
	for _, s := range m.Standings {
		w.record("model.standing", proofStanding{s.Name, s.FromGroups, s.Uncapped, s.Absent, p.above(s.Own)})
	}
	for _, s := range m.Seats {
		w.record("model.seat", proofSeat{s.Name, p.below(s.Cap)})
	}
	for _, k := range m.Settings {
		r := proofSetting{Key: k.Key}
		if k.Scale != nil {
			r.Levels = k.Scale.Levels
		}
		w.record("model.setting", r)
	}
	write(w, p, "model.organization", []string{""}, func(s *access.State, _ int) proofOrganization { return p.organization(s) })
	write(w, p, "model.source", m.Sources, func(s *access.State, i int) map[string]string { return p.above(s.Grants[i]) })
	write(w, p, "model.group", m.Groups, p.group)
	write(w, p, "model.member", m.Members, p.member)
}

// write writes a record for each name and reading.
func write[T any](w *writer, p *proof, kind string, names []string, of func(*access.State, int) T) {
	for i, name := range names {
		var first sidedText
		for r := range p.from {
			rec := sided[T]{r, name, of(p.from[r], i), of(p.to[r], i)}
			text := textOf(rec.Before, rec.After)
			if r == 0 {
				first = text
			} else if text == first {
				continue
			}
			w.record(kind, rec)
		}
	}
}

// sidedText tells whether two records say the same.
type sidedText [2]string

func textOf(before, after any) sidedText {
	w := &writer{}
	w.record("", before)
	n := w.Len()
	w.record("", after)
	return sidedText{string(w.Bytes()[:n]), string(w.Bytes()[n:])}
}

func (p *proof) organization(s *access.State) proofOrganization {
	out := proofOrganization{Ceiling: p.below(s.Ceiling), Settings: map[string]proofSettingOrg{}}
	for i, k := range p.model.Settings {
		set := s.Settings[i]
		seats := map[string]string{}
		for n, l := range set.Seat {
			put(seats, p.model.Seats[n].Name, k, l)
		}
		out.Settings[k.Key] = proofSettingOrg{seats, k.Text(set.Default), k.Text(set.Fallback), k.Text(set.Ceiling), set.Highest, set.SeatCompared}
	}
	return out
}

func (p *proof) group(s *access.State, g int) proofGroup {
	out := proofGroup{Sources: named(p.model.Sources, s.Attached[g]), Settings: map[string]string{}, Allows: map[string]string{}}
	for i, k := range p.model.Settings {
		put(out.Settings, k.Key, k, s.Settings[i].Group[g])
	}
	if l := s.Lists[g]; !l.Empty() {
		u := p.model.Universe
		for _, perm := range u.Perms(l.Speaks) {
			out.Speaks = append(out.Speaks, u.Key(perm))
			if level := u.Get(l.Allow, perm); level > 0 {
				out.Allows[u.Key(perm)] = u.LevelName(perm, level)
			}
		}
	}
	return out
}

func (p *proof) member(s *access.State, m int) proofMember {
	out := proofMember{Standing: p.model.Standings[s.Standing[m]].Name, Seat: p.model.Seats[s.Seat[m]].Name,
		Groups: named(p.model.Groups, s.Memberships[m]), Settings: map[string]string{}}
	for i, k := range p.model.Settings {
		put(out.Settings, k.Key, k, s.Settings[i].Own(int32(m)))
	}
	return out
}

// put notes what a scope says of a setting, if anything.
func put(m map[string]string, name string, k access.SettingKind, l access.Limit) {
	if l != access.Unset {
		m[name] = k.Text(l)
	}
}

func named(names []string, index []int32) []string {
	list := make([]string, len(index))
	for i, n := range index {
		list[i] = names[n]
	}
	slices.Sort(list)
	return list
}

// above returns the levels of a set that are above nothing.
func (p *proof) above(s access.Set) map[string]string {
	u := p.model.Universe
	m := map[string]string{}
	for _, perm := range u.Perms(s) {
		m[u.Key(perm)] = u.LevelName(perm, u.Get(s, perm))
	}
	return m
}

// below returns the levels of a set that are below the top.
func (p *proof) below(s access.Set) map[string]string {
	u := p.model.Universe
	m := map[string]string{}
	for i := range u.Len() {
		perm := access.Perm(i)
		if l := u.Get(s, perm); l < u.Permission(perm).Scale.Top() {
			m[u.Key(perm)] = u.LevelName(perm, l)
		}
	}
	return m
}
