package pullrequest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// An Approval is what a reviewer was shown: which plan, and which risks it
// takes. It is written into the comment, where people look, and its digest
// into the check run, which only an App can write: whoever may edit comments
// could otherwise approve for others.
type Approval struct {
	// Plan is the digest of the plan that was shown, in hex.
	Plan string

	// risks are the first bytes of the SHA-256 of each risk's id, sorted; nil
	// if there are too many to write down. all is the digest of them all.
	risks []riskSum
	all   string
	count int
}

// A riskSum is long enough that another risk does not pass for one of the few
// thousand that are listed: eight bytes.
type riskSum [8]byte

// maxRisks is how many risks are written down one by one: 11 characters each,
// which leaves most of a comment to what people read.
const maxRisks = 2000

// ErrManyRisks means that a plan has other risks than the one that was
// approved, and that the approved one had too many to have been written down
// one by one, so that it cannot be said which are new.
var ErrManyRisks = errors.New("the approved plan has too many risks to compare them one by one")

// NewApproval returns the approval of a plan with the given risks.
func NewApproval(plan string, risks []string) Approval {
	sums := sumsOf(risks)
	a := Approval{Plan: plan, all: digest(sums), count: len(sums)}
	if len(sums) <= maxRisks {
		a.risks = sums
	}
	return a
}

func sumsOf(ids []string) []riskSum {
	sums := make([]riskSum, 0, len(ids))
	for _, id := range ids {
		full := sha256.Sum256([]byte(id))
		sums = append(sums, riskSum(full[:8]))
	}
	slices.SortFunc(sums, compareSums)
	return slices.Compact(sums)
}

func compareSums(a, b riskSum) int { return slices.Compare(a[:], b[:]) }

func digest(sums []riskSum) string {
	h := sha256.New()
	for _, s := range sums {
		h.Write(s[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// New returns which of the risks the approval does not cover.
func (a Approval) New(risks []string) ([]string, error) {
	if digest(sumsOf(risks)) == a.all {
		return nil, nil
	}
	if a.risks == nil && a.count > 0 {
		return nil, ErrManyRisks
	}
	var list []string
	for _, id := range risks {
		sum := sumsOf([]string{id})[0]
		if _, ok := slices.BinarySearchFunc(a.risks, sum, compareSums); !ok {
			list = append(list, id)
		}
	}
	return list, nil
}

// Digest returns the digest that the check run carries.
func (a Approval) Digest() string {
	sum := sha256.Sum256([]byte(a.line()))
	return hex.EncodeToString(sum[:])
}

const approvalMarker = "<!-- rolecall:approval:1 "

// line returns the approval as one hidden line of Markdown.
func (a Approval) line() string {
	var raw []byte
	for _, s := range a.risks {
		raw = append(raw, s[:]...)
	}
	return fmt.Sprintf("%splan=%s risks=%s count=%d list=%s -->", approvalMarker, a.Plan, a.all, a.count, base64.RawStdEncoding.EncodeToString(raw))
}

// Line returns the hidden line that a comment carries. It has at most
// MaxApproval bytes.
func (a Approval) Line() string { return a.line() }

// MaxApproval is the most bytes that the line of an approval has.
const MaxApproval = 23 << 10

// ReadApproval returns the approval that a comment carries.
//
// Errors: no approval, more than one, or one that was altered.
func ReadApproval(body string) (Approval, error) {
	var lines []string
	for l := range strings.SplitSeq(body, "\n") {
		if strings.HasPrefix(l, approvalMarker) {
			lines = append(lines, strings.TrimSuffix(l, "\r"))
		}
	}
	switch len(lines) {
	case 0:
		return Approval{}, errors.New("the comment carries no approval")
	case 1:
	default:
		return Approval{}, errors.New("the comment carries more than one approval")
	}
	var a Approval
	var list string
	for f := range strings.FieldsSeq(strings.TrimPrefix(lines[0], approvalMarker)) {
		k, v, _ := strings.Cut(f, "=")
		switch k {
		case "plan":
			a.Plan = v
		case "risks":
			a.all = v
		case "count":
			if _, err := fmt.Sscanf(v, "%d", &a.count); err != nil {
				return Approval{}, errors.New("the approval in the comment is damaged")
			}
		case "list":
			list = v
		}
	}
	raw, err := base64.RawStdEncoding.DecodeString(list)
	if err != nil || len(raw)%len(riskSum{}) != 0 {
		return Approval{}, errors.New("the approval in the comment is damaged")
	}
	if len(raw) > 0 || a.count == 0 {
		a.risks = []riskSum{}
	}
	for chunk := range slices.Chunk(raw, len(riskSum{})) {
		a.risks = append(a.risks, riskSum(chunk))
	}
	if a.risks != nil && (digest(a.risks) != a.all || len(a.risks) != a.count) {
		return Approval{}, errors.New("the approval in the comment was altered")
	}
	return a, nil
}

// Approved returns what was shown to the reviewers of pull request n for the
// newest commit of it: the approval in the client's own comment, which must be
// the one that the client's own check run on that commit carries.
func (c *Client) Approved(ctx context.Context, p *PullRequest, marker, check string) (Approval, error) {
	comment, err := c.FindComment(ctx, p.Number, marker)
	if err != nil {
		return Approval{}, err
	}
	if comment == nil {
		return Approval{}, fmt.Errorf("github: pull request %d has no plan of this organization by %s", p.Number, c.login)
	}
	a, err := ReadApproval(comment.Body)
	if err != nil {
		return Approval{}, fmt.Errorf("github: pull request %d: %w", p.Number, err)
	}
	id, err := c.checkID(ctx, p.Head, check)
	if err != nil {
		return Approval{}, err
	}
	switch id {
	case a.Digest():
		return a, nil
	case "":
		return Approval{}, fmt.Errorf("github: commit %s, the newest of pull request %d, has no check run %q: the plan that was shown is of another commit", short(p.Head), p.Number, check)
	}
	return Approval{}, fmt.Errorf("github: the comment on pull request %d and check run %q on %s do not carry the same approval: the comment was edited, or is of another commit", p.Number, check, short(p.Head))
}

func short(sha string) string { return sha[:min(len(sha), 9)] }

// checkID returns the external id of the newest check run of that name which
// the client itself wrote on a commit, "" if there is none.
func (c *Client) checkID(ctx context.Context, sha, name string) (string, error) {
	list, _, err := c.api.Checks.ListCheckRunsForRef(ctx, c.owner, c.name, sha, &github.ListCheckRunsOptions{
		CheckName: &name, Filter: github.String("latest"), ListOptions: github.ListOptions{PerPage: perPage},
	})
	if err != nil {
		return "", c.explain("list the checks of "+short(sha), err)
	}
	id, newest := "", int64(0)
	for _, k := range list.CheckRuns {
		if k.GetName() == name && k.GetID() > newest && (k.GetApp().GetSlug()+"[bot]" == c.login) {
			id, newest = k.GetExternalID(), k.GetID()
		}
	}
	return id, nil
}
