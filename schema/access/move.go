package access

import "fmt"

// A Move takes one variable of a State from its value before to its value
// after. Moves are data: everything is called by name, so that they can be
// saved with a plan and replayed by whoever wants to check it.
type Move struct {
	Kind MoveKind `json:"kind"`

	Member     string `json:"member,omitempty"`
	Group      string `json:"group,omitempty"`
	Source     string `json:"source,omitempty"`
	Permission string `json:"permission,omitempty"`
	Setting    string `json:"setting,omitempty"`
	Seat       string `json:"seat,omitempty"`

	// From and To are the values: names of standings or levels, "in" or "out"
	// for memberships, attachments and whether a list speaks, values of a
	// setting as [SettingKind.Text] writes them, "lowest" or "highest" for a
	// precedence.
	From string `json:"from"`
	To   string `json:"to"`
}

// A MoveKind is the kind of variable that a move moves.
type MoveKind string

// The kinds of moves, with the fields that say which variable it is.
const (
	MoveStanding       MoveKind = "standing"        // Member
	MoveMembership     MoveKind = "membership"      // Member, Group
	MoveAttachment     MoveKind = "attachment"      // Group, Source
	MoveGrant          MoveKind = "grant"           // Source, Permission
	MoveCeiling        MoveKind = "ceiling"         // Permission
	MoveListSpeaks     MoveKind = "list_speaks"     // Group, Permission
	MoveListLevel      MoveKind = "list_level"      // Group, Permission
	MoveMemberSetting  MoveKind = "member_setting"  // Member, Setting
	MoveGroupSetting   MoveKind = "group_setting"   // Group, Setting
	MoveSeatSetting    MoveKind = "seat_setting"    // Seat, Setting
	MoveDefault        MoveKind = "default"         // Setting
	MoveFallback       MoveKind = "fallback"        // Setting
	MoveSettingCeiling MoveKind = "setting_ceiling" // Setting
	MovePrecedence     MoveKind = "precedence"      // Setting
)

// The two values of a membership, an attachment, and whether a list speaks.
const (
	In  = "in"
	Out = "out"
)

// Reverse returns the move back.
func (v Move) Reverse() Move {
	v.From, v.To = v.To, v.From
	return v
}

// A Bound is a Move whose names were looked up in a model: ready to be made
// many times.
type Bound struct {
	Kind                  MoveKind
	Member, Group, Source int32
	Perm                  Perm
	Setting               int   // in Model.Settings
	Seat                  uint8 // in Model.Seats
	From, To              int64 // standing, 0 or 1, level, or value
}

// Bind looks up the names of v in m. An error means that v and m do not belong
// together.
func (m *Model) Bind(v Move) (Bound, error) {
	b := Bound{Kind: v.Kind, Member: -1, Group: -1, Source: -1, Perm: -1, Setting: -1}
	fail := func(what, name string) (Bound, error) {
		return Bound{}, fmt.Errorf("access: %s move: no %s %q in the model", v.Kind, what, name)
	}
	if v.Member != "" {
		if b.Member = m.Member(v.Member); b.Member < 0 {
			return fail("member", v.Member)
		}
	}
	if v.Group != "" {
		if b.Group = m.Group(v.Group); b.Group < 0 {
			return fail("group", v.Group)
		}
	}
	if v.Source != "" {
		if b.Source = m.Source(v.Source); b.Source < 0 {
			return fail("source", v.Source)
		}
	}
	if v.Permission != "" {
		p, ok := m.Universe.Find(v.Permission)
		if !ok {
			return fail("permission", v.Permission)
		}
		b.Perm = p
	}
	if v.Setting != "" {
		if b.Setting = m.Setting(v.Setting); b.Setting < 0 {
			return fail("setting", v.Setting)
		}
	}
	if v.Seat != "" {
		seat, ok := m.SeatOf(v.Seat)
		if !ok {
			return fail("seat", v.Seat)
		}
		b.Seat = seat
	}
	var err error
	if b.From, err = m.bindValue(b, v.From); err != nil {
		return Bound{}, err
	}
	if b.To, err = m.bindValue(b, v.To); err != nil {
		return Bound{}, err
	}
	return b, b.complete()
}

// complete reports a move that does not say which variable it moves.
func (b Bound) complete() error {
	var ok bool
	switch b.Kind {
	case MoveStanding:
		ok = b.Member >= 0
	case MoveMembership:
		ok = b.Member >= 0 && b.Group >= 0
	case MoveAttachment:
		ok = b.Group >= 0 && b.Source >= 0
	case MoveGrant:
		ok = b.Source >= 0 && b.Perm >= 0
	case MoveCeiling:
		ok = b.Perm >= 0
	case MoveListSpeaks, MoveListLevel:
		ok = b.Group >= 0 && b.Perm >= 0
	case MoveMemberSetting:
		ok = b.Member >= 0 && b.Setting >= 0
	case MoveGroupSetting:
		ok = b.Group >= 0 && b.Setting >= 0
	case MoveSeatSetting:
		ok = b.Seat > 0 && b.Setting >= 0
	case MoveDefault, MoveFallback, MoveSettingCeiling, MovePrecedence:
		ok = b.Setting >= 0
	}
	if !ok {
		return fmt.Errorf("access: incomplete move of kind %q", b.Kind)
	}
	return nil
}

func (m *Model) bindValue(b Bound, s string) (int64, error) {
	bad := func() (int64, error) { return 0, fmt.Errorf("access: %s move: no value %q", b.Kind, s) }
	switch b.Kind {
	case MoveStanding:
		n, ok := m.Standing(s)
		if !ok {
			return bad()
		}
		return int64(n), nil
	case MoveMembership, MoveAttachment, MoveListSpeaks:
		switch s {
		case In:
			return 1, nil
		case Out:
			return 0, nil
		}
		return bad()
	case MoveGrant, MoveCeiling, MoveListLevel:
		if b.Perm < 0 {
			return bad()
		}
		l, ok := m.Universe.Permission(b.Perm).Scale.Level(s)
		if !ok {
			return bad()
		}
		return int64(l), nil
	case MoveMemberSetting, MoveGroupSetting, MoveSeatSetting, MoveDefault, MoveFallback, MoveSettingCeiling:
		if b.Setting < 0 {
			return bad()
		}
		l, err := m.Settings[b.Setting].Parse(s)
		return int64(l), err
	case MovePrecedence:
		switch s {
		case "lowest":
			return 0, nil
		case "highest":
			return 1, nil
		}
		return bad()
	}
	return 0, fmt.Errorf("access: no such kind of move: %q", b.Kind)
}

// Apply makes the move b in s.
func (s *State) Apply(u *Universe, b Bound) {
	switch b.Kind {
	case MoveStanding:
		s.Standing[b.Member] = uint8(b.To)
	case MoveMembership:
		if b.To == 1 {
			s.Join(b.Member, b.Group)
		} else {
			s.Leave(b.Member, b.Group)
		}
	case MoveAttachment:
		if b.To == 1 {
			s.Attach(b.Group, b.Source)
		} else {
			s.Detach(b.Group, b.Source)
		}
	case MoveGrant:
		u.Put(s.Grants[b.Source], b.Perm, Level(b.To))
	case MoveCeiling:
		u.Put(s.Ceiling, b.Perm, Level(b.To))
	case MoveListSpeaks:
		s.Speak(u, b.Group, b.Perm, b.To == 1)
	case MoveListLevel:
		s.Allow(u, b.Group, b.Perm, Level(b.To))
	case MoveMemberSetting:
		if Limit(b.To) == Unset {
			delete(s.Settings[b.Setting].Member, b.Member)
		} else {
			s.Settings[b.Setting].Member[b.Member] = Limit(b.To)
		}
	case MoveGroupSetting:
		s.Settings[b.Setting].Group[b.Group] = Limit(b.To)
	case MoveSeatSetting:
		s.Settings[b.Setting].Seat[b.Seat] = Limit(b.To)
	case MoveDefault:
		s.Settings[b.Setting].Default = Limit(b.To)
	case MoveFallback:
		s.Settings[b.Setting].Fallback = Limit(b.To)
	case MoveSettingCeiling:
		s.Settings[b.Setting].Ceiling = Limit(b.To)
	case MovePrecedence:
		s.Settings[b.Setting].Highest = b.To == 1
	default:
		panic(fmt.Sprintf("access: no such kind of move: %q", b.Kind))
	}
}
