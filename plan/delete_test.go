package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/plan"
)

const removeGone = "removed {\n from = group.gone\n name = \"gone\"\n}\nguard {\n max_members_losing_access = \"100%\"\n}\n"

const emptied = "guard.max_group_shrink"

// gone is an organization of one member, who is in a group that is to be
// deleted.
func gone(g liveGroup) org {
	g.name = "gone"
	return org{roles: map[string][]string{"base": {"chat"}}, members: map[string]string{"ann@acme.com": "managed"},
		groups: []liveGroup{{name: "base", roles: []string{"base"}, members: []string{"ann@acme.com"}}, g}}
}

// TestDeletingAGroup: what a deletion takes away is seen, or is an error that
// has to be accepted by its name.
func TestDeletingAGroup(t *testing.T) {
	ann := []string{"ann@acme.com"}
	tests := map[string]struct {
		group liveGroup
		rule  string // that blocks it
		says  string
	}{
		"plain":               {liveGroup{members: ann}, "", ""},
		"foreign-member":      {liveGroup{foreign: 1}, "shared-group", "1 person of other"},
		"foreign-members":     {liveGroup{foreign: 3, members: ann}, "shared-group", "3 people of other"},
		"foreign-role":        {liveGroup{foreignRole: true}, "shared-group", "1 role of other"},
		"foreign-both":        {liveGroup{foreign: 2, foreignRole: true}, "shared-group", "2 people and 1 role of other"},
		"members-not-read":    {liveGroup{unseen: true}, "unread", "(members)"},
		"roles-not-read":      {liveGroup{unread: true, members: ann}, "unread", "(roles)"},
		"roles-not-read-none": {liveGroup{unread: true}, "", ""}, // nobody is in it
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := build(t, removeGone, gone(tt.group), emptied)
			if got := changes(p); !cmp.Equal(got, []string{"delete group.gone"}) {
				t.Fatalf("changes: %v", got)
			}
			if tt.rule == "" {
				if p.Verdict != plan.Changes {
					t.Fatalf("the verdict is %s: %v", p.Verdict, findings(p))
				}
				return
			}
			if p.Verdict != plan.Blocked {
				t.Fatalf("the verdict is %s: %v", p.Verdict, findings(p))
			}
			want := []string{tt.rule + " error group.gone"}
			if diff := cmp.Diff(want, findings(p, "shared-group", "unread")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			for _, f := range p.Findings {
				if f.Rule == tt.rule && !strings.Contains(f.Message, tt.says) {
					t.Errorf("it says %q, want %q", f.Message, tt.says)
				}
			}
			if p := build(t, removeGone, gone(tt.group), emptied, tt.rule); p.Verdict != plan.Changes {
				t.Errorf("accepted, the verdict is %s: %v", p.Verdict, findings(p))
			}
			block := "accept \"" + tt.rule + "\" {\n reason = \"they know\"\n expires = \"2027-01-01\"\n}\n"
			if p := build(t, removeGone+block, gone(tt.group), emptied); p.Verdict != plan.Changes {
				t.Errorf("accepted by a block, the verdict is %s: %v", p.Verdict, findings(p))
			}
		})
	}
}

// TestDeletingAGroupTakesItsPlugins: what a group has of a plugin ends with it,
// for those who had it by this group. A word newer than rolecall is taken for
// the most that can be had.
func TestDeletingAGroupTakesItsPlugins(t *testing.T) {
	for word, from := range map[string]string{"required": "required", "available": "available", "hypnotic": "required"} {
		t.Run(word, func(t *testing.T) {
			o := gone(liveGroup{members: []string{"ann@acme.com"}, plugins: map[string]string{"plugin_1": word}})
			p := build(t, removeGone, o, emptied)
			if p.Verdict != plan.Changes {
				t.Fatalf("the verdict is %s: %v", p.Verdict, findings(p))
			}
			var got []string
			for _, a := range p.Access {
				got = append(got, a.Permission+" "+a.From+" "+a.Direction+" "+strings.Join(a.Members, ","))
			}
			if diff := cmp.Diff([]string{"plugin.plugin_1 " + from + " loss ann@acme.com"}, got); diff != "" {
				t.Errorf("access (-want +got):\n%s", diff)
			}
		})
	}
}
