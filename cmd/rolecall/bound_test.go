package main

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/rolecall/rolecall/providers/emulator"
)

// What a member has, as numbers of which more is more.
var (
	connectorRank = map[string]int{"blocked": 0, "ask": 1, "allow": 2}
	pluginRank    = map[string]int{"not_available": 0, "available": 1, "auto_install": 2, "required": 3}
	futureRank    = map[string]int{"none": 0, "ga": 1, "all": 2}
)

// A bound is what each member may have among some states: no more than the
// most and no less than the least of all of them. Somebody who is not there in
// one of them has nothing there.
type bound struct {
	index     map[string]int // of what one may have
	names     []string
	low, high map[string][]int // by address
	states    int
}

// between returns the bound of some states.
func between(states ...emulator.Access) *bound {
	b := &bound{index: map[string]int{}, low: map[string][]int{}, high: map[string][]int{}}
	for _, a := range states {
		b.widen(a)
	}
	return b
}

// widen lets members have what they have in one more state.
func (b *bound) widen(a emulator.Access) {
	have := b.all(a)
	for email := range have {
		if _, ok := b.low[email]; !ok { // not there in any state so far
			b.low[email], b.high[email] = nil, nil
			if b.states == 0 {
				b.low[email], b.high[email] = have[email], have[email]
			}
		}
	}
	for email := range b.low {
		low, high := make([]int, len(b.names)), make([]int, len(b.names))
		for i := range b.names {
			n := at(have[email], i)
			low[i], high[i] = min(at(b.low[email], i), n), max(at(b.high[email], i), n)
		}
		b.low[email], b.high[email] = low, high
	}
	b.states++
}

// at returns a number of a list; what is beyond its end is 0.
func at(list []int, i int) int {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// outside returns who has more or less in now than the bound allows, "" for
// nobody.
func (b *bound) outside(now emulator.Access) string {
	have := b.all(now)
	for email, list := range have {
		low, high := b.low[email], b.high[email]
		for i, n := range list {
			if n < at(low, i) || n > at(high, i) {
				return fmt.Sprintf("%s has %s: %d, and the bound is %d to %d", email, b.names[i], n, at(low, i), at(high, i))
			}
		}
	}
	for email, low := range b.low {
		for i, n := range low {
			if have[email] == nil && n > 0 {
				return fmt.Sprintf("%s is not there, and has %s before and in the end", email, b.names[i])
			}
		}
	}
	return ""
}

// outside returns who has more or less in now than between two states, "" for
// nobody.
func outside(before, after, now emulator.Access) string { return between(before, after).outside(now) }

// all returns what everybody has, by address. Members of one class share the
// maps of what they have, so that each class is looked at once.
func (b *bound) all(a emulator.Access) map[string][]int {
	type class struct {
		capabilities, admin, connectors, plugins uintptr
		anyCapability, anyConnector              string
	}
	classes := map[class][]int{}
	list := make(map[string][]int, len(a.Members))
	for _, m := range a.Members {
		p := func(x any) uintptr { return reflect.ValueOf(x).Pointer() }
		c := class{p(m.Capabilities), p(m.Admin), p(m.Connectors), p(m.Plugins), m.AnyCapability, m.AnyConnector}
		shared, ok := classes[c]
		if !ok {
			shared = b.shared(m)
			classes[c] = shared
		}
		own := append(make([]int, 0, len(b.names)), shared...)
		for period, s := range m.Spend {
			b.put(&own, "spend "+period, amountOf(s.Amount))
			b.put(&own, "ceiling of spend "+period, amountOf(s.Ceiling))
		}
		list[m.Email] = own
	}
	return list
}

// shared returns what the class of a member has.
func (b *bound) shared(m emulator.MemberAccess) []int {
	var list []int
	rank := func(on bool) int {
		if on {
			return 1
		}
		return 0
	}
	b.put(&list, "any capability", futureRank[m.AnyCapability])
	b.put(&list, "any connector", connectorRank[m.AnyConnector])
	for c, on := range m.Capabilities {
		b.put(&list, c, rank(on))
	}
	for c, on := range m.Admin {
		b.put(&list, c, rank(on))
	}
	for id, c := range m.Connectors {
		b.put(&list, "any tool of "+id, connectorRank[c.AnyTool])
		for tool, level := range c.Tools {
			b.put(&list, tool+" of "+id, connectorRank[level])
		}
	}
	for id, setting := range m.Plugins {
		b.put(&list, id, pluginRank[setting])
	}
	return list
}

// put writes down how much of something a member has.
func (b *bound) put(list *[]int, what string, n int) {
	i, ok := b.index[what]
	if !ok {
		i = len(b.names)
		b.index[what], b.names = i, append(b.names, what)
	}
	for len(*list) <= i {
		*list = append(*list, 0)
	}
	(*list)[i] = n
}

// amountOf returns an amount as a number; none is no limit.
func amountOf(s *string) int {
	if s == nil {
		return math.MaxInt
	}
	n, err := strconv.Atoi(*s)
	if err != nil {
		panic(err) // the emulator writes whole numbers
	}
	return n
}
