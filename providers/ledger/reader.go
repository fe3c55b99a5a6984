package ledger

import (
	"context"
	"fmt"

	"github.com/rolecall/rolecall/providers"
	"github.com/rolecall/rolecall/schema"
)

// A Reader reads the live state of a system that has no API: it is the ledger.
// The file is read anew each time, so that a step that is confirmed elsewhere
// is seen.
type Reader struct {
	config  *schema.Config
	suppose func(*schema.State)
}

// NewReader returns a reader of the ledger of a configuration. What the ledger cannot know
// and is taken as given is added by suppose, which may be nil: that the people
// whom the configuration names are in the organization.
func NewReader(config *schema.Config, suppose func(*schema.State)) *Reader {
	if suppose == nil {
		suppose = func(*schema.State) {}
	}
	return &Reader{config, suppose}
}

// Read returns everything that was confirmed.
func (r *Reader) Read(context.Context) (*schema.State, error) {
	l, err := For(r.config)
	if err != nil {
		return nil, err
	}
	s := l.State()
	r.suppose(s)
	return s, nil
}

// ReadAgain returns the given objects as they were confirmed by now. Every
// attribute that is asked about is answered for: what was not confirmed is
// absent.
func (r *Reader) ReadAgain(ctx context.Context, objects []*schema.Object) ([]*schema.Object, error) {
	s, err := r.Read(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]*schema.Object, len(objects))
	for i, o := range objects {
		have := s.Objects[o.Addr]
		if have == nil {
			have = named(s, o)
		}
		if have == nil {
			continue
		}
		have = have.Clone()
		for name := range o.Attrs {
			if _, ok := have.Attrs[name]; !ok {
				have.Put(name, schema.Absent)
			}
		}
		found[i] = have
	}
	return found, nil
}

// named returns the object of o's type and name.
func named(s *schema.State, o *schema.Object) *schema.Object {
	for _, have := range s.Of(o.Type) {
		if have.Key == o.Key {
			return have
		}
	}
	return nil
}

// Remember does nothing: the ledger knows objects by their addresses.
func (r *Reader) Remember([]*schema.Object) {}

// Requests returns 0.
func (r *Reader) Requests() int { return 0 }

// An Editor carries out nothing: a system without API has no step that it
// could.
type Editor struct{}

// Do reports an error.
func (Editor) Do(_ context.Context, step schema.Step) (providers.Done, error) {
	return providers.Done{}, fmt.Errorf("step %s: this system has no API; a person has to do it", step.ID)
}
