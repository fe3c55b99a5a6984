package providers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rolecall/rolecall/schema"
)

// A Relabeler is a system whose live state is written in labels of the
// configuration that it was read with. Snapshots are not: they outlive the
// configuration, and are read with others.
type Relabeler interface {
	// Unlabel turns the labels of the configuration into ids.
	Unlabel(*schema.State)

	// Relabel turns ids into the labels of the configuration. What only a
	// reading with this configuration could show becomes unavailable.
	Relabel(*schema.State)
}

// A Wordy is a system that says which attributes of live objects hold its own
// words, and nothing of an organization's. All others are replaced where a
// snapshot is pseudonymised.
type Wordy interface {
	Words() schema.Words
}

// Pseudonymise returns a copy of a snapshot in which nothing is an
// organization's own.
func Pseudonymise(system System, snap *schema.Snapshot) (*schema.Snapshot, error) {
	var words schema.Words
	if s, ok := system.(Wordy); ok {
		words = s.Words()
	}
	return snap.Pseudonymise(words)
}

// TakeSnapshot returns a snapshot of a state that was read at a moment. The
// state stays as it is.
func TakeSnapshot(system System, name, version string, at time.Time, live *schema.State) *schema.Snapshot {
	if s, ok := system.(Relabeler); ok {
		live = live.Clone()
		s.Unlabel(live)
	}
	return schema.NewSnapshot(name, version, at, live)
}

// Offline opens a snapshot in the place of a live organization. There is
// nothing in it that could write.
func Offline(snap *schema.Snapshot, system System) *Connection {
	r := snapshotReader{snap.State}
	if s, ok := system.(Relabeler); ok {
		r.state = r.state.Clone()
		s.Relabel(r.state)
	}
	return &Connection{Reader: r, Close: func() error { return nil }}
}

// Supposed opens what one configuration describes in the place of a live
// organization, for another one. What neither describes is on both sides as
// it is, whatever it is: it is left out, and listed as unread.
func Supposed(live *schema.State, from, to System, described map[schema.Address]bool) *Connection {
	snap := TakeSnapshot(from, "", "", time.Time{}, live)
	known := map[string]bool{}
	for _, o := range snap.State.Objects {
		known[o.Type+"."+o.Key] = true
	}
	conn := Offline(snap, to)
	state := conn.Reader.(snapshotReader).state
	var out []string
	for addr, o := range state.Objects {
		if !known[o.Type+"."+o.Key] && !described[addr] {
			delete(state.Objects, addr)
			out = append(out, string(addr))
		}
	}
	if len(out) > 0 {
		slices.Sort(out)
		state.Unread = append(state.Unread, schema.Unread{
			What:    schema.Count(len(out), "object") + ", such as " + out[0],
			Why:     "neither configuration describes them",
			Affects: "nothing that changes; they are taken to be on",
		})
	}
	return conn
}

// A snapshotReader reads what was read before.
type snapshotReader struct{ state *schema.State }

// Read returns the state of the snapshot.
func (r snapshotReader) Read(context.Context) (*schema.State, error) { return r.state.Clone(), nil }

// ReadAgain finds the objects in the snapshot.
func (r snapshotReader) ReadAgain(_ context.Context, objects []*schema.Object) ([]*schema.Object, error) {
	type name struct{ typ, id, key string }
	found := map[name][]*schema.Object{}
	for _, o := range r.state.Objects {
		found[name{typ: o.Type, key: o.Key}] = append(found[name{typ: o.Type, key: o.Key}], o)
		if o.ID != "" {
			found[name{typ: o.Type, id: o.ID}] = append(found[name{typ: o.Type, id: o.ID}], o)
		}
	}
	list := make([]*schema.Object, len(objects))
	for i, o := range objects {
		n := name{typ: o.Type, id: o.ID}
		if o.ID == "" {
			n = name{typ: o.Type, key: o.Key}
		}
		switch same := found[n]; len(same) {
		case 0:
		case 1:
			list[i] = same[0].Clone()
		default:
			return nil, fmt.Errorf("%s: %d objects of the snapshot are called %q", o.Addr, len(same), o.Key)
		}
	}
	return list, nil
}

// Remember does nothing: nothing is carried out on a snapshot.
func (snapshotReader) Remember([]*schema.Object) {}

// Requests returns 0: no request is sent.
func (snapshotReader) Requests() int { return 0 }
