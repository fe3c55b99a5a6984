package conduit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
)

// System is what a seed for this emulator says under "system".
const System = "conduit"

// The credentials that are accepted where the seed names none.
const (
	DefaultSession = "emulator-session"
	DefaultToken   = "emulator-scim-token"
)

// State is everything that the emulator knows: the seed, and the live copy.
type State struct {
	System       string              `json:"system"`
	Seed         string              `json:"seed_sha256,omitempty"` // in a live copy: of the seed it began from
	Organization Organization        `json:"organization"`
	Session      string              `json:"session,omitempty"`
	SessionUser  string              `json:"session_user,omitempty"` // whose session it is: an id; the owner's if empty
	SCIMToken    string              `json:"scim_token,omitempty"`
	Users        []User              `json:"users"`
	Vendors      []Vendor            `json:"vendors"`
	Teams        []Team              `json:"teams"`
	Access       map[string][]string `json:"access,omitempty"` // individual grants by user id
	Next         int                 `json:"next,omitempty"`   // the number in the next id
}

// Organization is the one organization that is served.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Free bool   `json:"free,omitempty"` // without the plan that has teams
}

// User is a member of the organization.
type User struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"` // owner, admin, member
}

// Vendor is a vendor, and the organization's lists for it; nil is no list.
type Vendor struct {
	Slug      string              `json:"slug"`
	Tools     []string            `json:"tools"`
	Connected bool                `json:"connected"` // with credentials of the organization
	Lists     map[string][]string `json:"lists,omitempty"`
}

// Team is a team.
type Team struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Members     []string        `json:"members"` // user ids
	Vendors     []string        `json:"vendors"`
	Credentials []string        `json:"credentials"` // vendors for which it has its own
	Lists       map[string]List `json:"lists,omitempty"`
	Created     time.Time       `json:"created"`
	CreatedBy   string          `json:"created_by,omitempty"`
}

// List is a team's list of tools for a vendor, with the stamp of its last PUT.
type List struct {
	Tools []string  `json:"tools"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// Options say what to open.
type Options struct {
	Seed       string // a file
	State      string // a file for the live copy; "" keeps it in memory
	Reset      bool
	RateLimits bool             // ten individual grants an hour
	Now        func() time.Time // nil for the clock
}

// ErrSeedChanged means that the live copy was made from another seed.
var ErrSeedChanged = errors.New("conduit emulator: the seed has changed since the live copy was made")

// load reads the live copy, or else the seed.
func load(o Options) (*State, error) {
	seed, err := os.ReadFile(o.Seed)
	if err != nil {
		return nil, fmt.Errorf("conduit emulator: %w", err)
	}
	sum := sha256.Sum256(seed)
	st, err := decode(seed)
	if err != nil {
		return nil, fmt.Errorf("conduit emulator: seed %s: %w", o.Seed, err)
	}
	st.Seed = hex.EncodeToString(sum[:])
	if o.State == "" || o.Reset {
		return st, nil
	}
	b, err := os.ReadFile(o.State)
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return nil, fmt.Errorf("conduit emulator: %w", err)
	}
	live, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("conduit emulator: live copy %s: %w", o.State, err)
	}
	if live.Seed != st.Seed {
		return nil, ErrSeedChanged
	}
	return live, nil
}

// decode reads a state and checks that it hangs together.
func decode(b []byte) (*State, error) {
	var st State
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&st); err != nil {
		return nil, err
	}
	if st.System != System {
		return nil, fmt.Errorf("it is for the system %q", st.System)
	}
	if st.Organization.ID == "" {
		return nil, errors.New("the organization has no id")
	}
	if st.Session == "" {
		st.Session = DefaultSession
	}
	if st.SCIMToken == "" {
		st.SCIMToken = DefaultToken
	}
	ids, emails := map[string]bool{}, map[string]bool{}
	for i := range st.Users {
		u := &st.Users[i]
		u.Email = strings.ToLower(u.Email)
		if u.ID == "" || u.Email == "" || ids[u.ID] || emails[u.Email] || !slices.Contains([]string{"owner", "admin", "member"}, u.Role) {
			return nil, fmt.Errorf("user %d (%q): id and e-mail must be there once, and the role be owner, admin or member", i+1, u.Email)
		}
		ids[u.ID], emails[u.Email] = true, true
		if u.Role == "owner" && st.SessionUser == "" {
			st.SessionUser = u.ID
		}
	}
	names := map[string]bool{}
	for i := range st.Teams {
		t := &st.Teams[i]
		if t.ID == "" || t.Name == "" || ids[t.ID] || names[t.Name] {
			return nil, fmt.Errorf("team %d (%q): id and name must be there once", i+1, t.Name)
		}
		ids[t.ID], names[t.Name] = true, true
		for _, m := range t.Members {
			if st.user(m) == nil {
				return nil, fmt.Errorf("team %q: there is no user %q", t.Name, m)
			}
		}
	}
	for id := range st.Access {
		if st.user(id) == nil {
			return nil, fmt.Errorf("access: there is no user %q", id)
		}
	}
	if st.Access == nil {
		st.Access = map[string][]string{}
	}
	return &st, nil
}

// save writes the live copy before a write is answered.
func (s *Server) save() error {
	if s.options.State == "" {
		return nil
	}
	b, err := json.MarshalIndent(s.st, "", "  ")
	if err != nil {
		return err
	}
	return maybe.WriteFile(s.options.State, append(b, '\n'), 0o600)
}

func (st *State) user(id string) *User {
	return find(st.Users, func(u User) bool { return u.ID == id })
}
func (st *State) team(id string) *Team {
	return find(st.Teams, func(t Team) bool { return t.ID == id })
}
func (st *State) vendor(slug string) *Vendor {
	return find(st.Vendors, func(v Vendor) bool { return v.Slug == slug })
}

func find[T any](list []T, is func(T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return &list[i]
	}
	return nil
}
