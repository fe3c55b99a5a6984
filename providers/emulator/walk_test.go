package emulator_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/providers/emulator"
)

// TestWalkWithCurl runs the lines of the README as they are.
func TestWalkWithCurl(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walk, _ := strings.Cut(string(readme), "## A walk with curl")
	walk, _, _ = strings.Cut(walk, "## The vendor's API")
	c := start(t, emulator.Options{SeedData: []byte(`{"members":[{"email":"ana@acme.com","role":"primary_owner"}]}`)})
	script := ""
	for line := range strings.Lines(walk) {
		if command, ok := strings.CutPrefix(line, "$ "); ok && !strings.HasPrefix(command, "B=") {
			script += command + "\necho\n"
		}
	}
	if strings.Count(script, "curl") < 10 {
		t.Fatalf("the walk has few lines:\n%s", script)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "B="+c.url+"\n"+script).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`"id":"rbac_group_01yX7C9oKkw8JywkHy4Y85DK","name":"Design"`,
		`"id":"rbac_role_01PGyECQkf5AN7eZCsFFnP85","name":"Standard"`,
		`"roles":["rbac_role_01PGyECQkf5AN7eZCsFFnP85"]`,
		`"provisioning":{"mode":"login_only"`,
		"\n52\n", // what curl says of a dropped connection
		`"name":"Lost"`,
		`"id":"marketplace_01D5uZqZKJkFbnHNvstoZPpM"`,
		`"No such endpoint: /v1/organizations/plugins."`,
		`"name":"lint-kit"`,
		`"organization_installation_preference":"available"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing says %s:\n%s", want, out)
		}
	}
}
