package plan_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestVectors are the acceptance vectors of the access engine, by number, and
// the rows of the evaluation order of connector permissions, by line, through
// this system's mapping. Those of other systems are beside their providers.
//
// Source: product guide, role-based permissions; help centre, connector
// permissions; read 2026-11-22.
func TestVectors(t *testing.T) {
	connector := func(policy string) string {
		return fmt.Sprintf("connector \"jira\" {\n id = \"mcpsrv_jira\"\n tools = [\"t\"]\n policy = %q\n}\n", policy)
	}
	role := func(name, body string) string {
		return fmt.Sprintf("role %q {\n capabilities = [\"chat\"]\n%s\n}\ngroup %q {\n roles = [role.%s]\n members = [\"ann@acme.com\"]\n}\n", name, body, name, name)
	}
	level := func(level string) string {
		return "connector_default = \"custom\"\nconnector \"jira\" {\n access = \"" + level + "\"\n}"
	}
	limit := func(name, amount string) string {
		return fmt.Sprintf("group %q {\n members = [\"ann@acme.com\"]\n spend_limit { monthly = %q }\n}\n", name, amount)
	}
	own := func(amount string) string {
		return fmt.Sprintf("member \"ann@acme.com\" {\n spend_limit { monthly = %q }\n}\n", amount)
	}
	organization := func(body string) string {
		return "organization \"acme\" {\n system = \"claude-enterprise\"\n" + body + "\n}\n"
	}
	ceiling := func(amount string) string { return organization(" spend_ceiling { monthly = \"" + amount + "\" }") }
	managed := org{members: map[string]string{"ann@acme.com": "managed"}}
	tests := map[string]struct {
		config, key, want string
		live              org
	}{
		"vector 17 the organization switched it off": {role("a", "") + "role \"b\" {\n capabilities = [\"cowork\"]\n}\ngroup \"b\" {\n roles = [role.b]\n members = [\"ann@acme.com\"]\n}\n",
			"capability.cowork", "none", org{members: managed.members, off: []string{"cowork"}}},
		"vector 17 what is left":                   {role("a", ""), "capability.chat", "allowed", managed},
		"vector 18 two roles":                      {connector("always_allow") + role("a", level("blocked")) + role("b", level("needs_approval")), "connector.jira.t", "needs_approval", managed},
		"vector 19 a role above the policy":        {connector("needs_approval") + role("a", level("always_allow")), "connector.jira.t", "needs_approval", managed},
		"vector 20 what comes tomorrow":            {role("a", `connector_default = "custom"`), "connector.tomorrow.t", "blocked", managed},
		"vector 21 their own before their groups'": {ceiling("1000") + limit("a", "100") + limit("b", "200") + own("500"), "spend.monthly", "50000", managed},
		"vector 23 the ceiling binds":              {ceiling("1000") + own("5000"), "spend.monthly", "100000", managed},
		"vector 23 what is chosen":                 {ceiling("9000") + own("5000"), "spend.monthly", "500000", managed},
		"table 10.2 row 7 blocked, approval":       {connector("blocked") + role("a", level("needs_approval")), "connector.jira.t", "blocked", managed},
		"table 10.2 row 7 blocked, blocked":        {connector("blocked") + role("a", level("blocked")), "connector.jira.t", "blocked", managed},
		"vector 22 lowest":                         {limit("a", "100") + limit("b", "200"), "spend.monthly", "10000", managed},
		"vector 22 highest":                        {organization(`spend_precedence = "highest"`) + limit("a", "100") + limit("b", "200"), "spend.monthly", "20000", managed},
		"vector 24 the organization role user":     {role("a", "") + "feature \"cowork\" { enabled = true }", "capability.cowork", "allowed", org{members: map[string]string{"ann@acme.com": "user"}}},
		"table 10.2 row 1 allow, allow":            {connector("always_allow") + role("a", level("always_allow")), "connector.jira.t", "always_allow", managed},
		"table 10.2 row 2 allow, approval":         {connector("always_allow") + role("a", level("needs_approval")), "connector.jira.t", "needs_approval", managed},
		"table 10.2 row 3 allow, blocked":          {connector("always_allow") + role("a", level("blocked")), "connector.jira.t", "blocked", managed},
		"table 10.2 row 4 approval, allow":         {connector("needs_approval") + role("a", level("always_allow")), "connector.jira.t", "needs_approval", managed},
		"table 10.2 row 5 approval, approval":      {connector("needs_approval") + role("a", level("needs_approval")), "connector.jira.t", "needs_approval", managed},
		"table 10.2 row 6 approval, blocked":       {connector("needs_approval") + role("a", level("blocked")), "connector.jira.t", "blocked", managed},
		"table 10.2 row 7 blocked, allow":          {connector("blocked") + role("a", level("always_allow")), "connector.jira.t", "blocked", managed},
		"section 10.2 a built-in role":             {connector("needs_approval"), "connector.jira.t", "needs_approval", org{members: map[string]string{"ann@acme.com": "user"}}},
		"section 10.2 an owner":                    {connector("blocked"), "connector.jira.t", "blocked", org{members: map[string]string{"ann@acme.com": "owner"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, p := pictures(t, tt.config, tt.live)
			if e := explain(t, p, "ann@acme.com", tt.key); e.Level != tt.want {
				t.Errorf("%s is %q, want %q: %s", tt.key, e.Level, tt.want, e.Text)
			}
		})
	}
}

// TestNoVectorIsMissing lists the acceptance vectors and the rows of the tables
// of the vendors' guides that no subtest has in its name.
func TestNoVectorIsMissing(t *testing.T) {
	rows := map[string]int{
		"vector ":         24, // 1 to 3 of belay, 4 to 8 of elvex, 9 to 16 of conduit, 17 to 24 of claude
		"table 1.5 row ":  7,
		"table 2.5a row ": 11,
		"table 2.5b row ": 4,
		"table 3.4 row ":  10,
		"table 10.2 row ": 7,
	}
	number := regexp.MustCompile(`(vector |table [0-9.]+[ab]? row )([0-9]+)`)
	have := map[string]bool{}
	for _, dir := range []string{".", "../providers/claude", "../providers/conduit", "../providers/belay", "../providers/elvex"} {
		for _, name := range subtests(t, dir) {
			for _, m := range number.FindAllStringSubmatch(name, -1) {
				have[m[0]] = true
				if n, _ := strconv.Atoi(m[2]); n < 1 || n > rows[m[1]] {
					t.Errorf("%s: %q is no vector and no row", dir, m[0])
				}
			}
		}
	}
	for table, n := range rows {
		for i := range n {
			if name := table + strconv.Itoa(i+1); !have[name] {
				t.Errorf("%s is missing", name)
			}
		}
	}
}

// subtests returns the names of subtests as they are written in the tests of a
// directory: what t.Run is called with, and the keys of tables.
func subtests(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", dir, err)
	}
	var names []string
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				names = append(names, s)
			}
		}
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				add(n.Key)
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Run" && len(n.Args) == 2 {
					add(n.Args[0])
				}
			}
			return true
		})
	}
	return names
}
