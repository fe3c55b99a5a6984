package schema

import (
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A configuration may come from a stranger's pull request, and a few loops in
// each other can run for years. The loops of one configuration have a budget
// of elements, so that a configuration that is refused is refused everywhere.
// What does not loop but takes long or much memory all the same (functions of
// long texts, templates in JSON) is stopped by the clock and by the memory.
const (
	maxSteps  = 10_000_000 // elements that all loops together go through
	maxTime   = 5 * time.Minute
	maxMemory = 4 << 30 // bytes that the heap may grow by
)

// A meter counts the elements that loops go through.
type meter struct {
	budget, left int
}

// A metered is the collection of a loop, which is counted whenever the loop
// begins.
type metered struct {
	hclsyntax.Expression
	meter *meter
}

// Value returns the elements, or an error if the budget does not cover them.
// The error is said once: whatever loops around would repeat it.
func (x *metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if x.meter.left < 0 {
		return cty.DynamicVal, nil
	}
	v, diags := x.Expression.Value(ctx)
	if bare, _ := v.Unmark(); !bare.IsNull() && bare.CanIterateElements() {
		x.meter.left -= bare.LengthInt()
	}
	if x.meter.left < 0 {
		return cty.DynamicVal, hcl.Diagnostics{problem("Evaluation too long", x.Range(),
			"The loops of this configuration go through more than %s elements. Put what an inner loop looks for into a map in a local, once, or split the configuration.", Thousands(x.meter.budget))}
	}
	return v, diags
}

// count makes the loops in expr count their elements.
func (m *meter) count(expr hcl.Expression) {
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return
	}
	hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		if f, ok := n.(*hclsyntax.ForExpr); ok {
			if _, done := f.CollExpr.(*metered); !done {
				f.CollExpr = &metered{f.CollExpr, m}
			}
		}
		return nil
	})
}

// within runs the evaluation and reports true, or reports false if it took too
// long or too much memory. It then goes on by itself until the process ends:
// the library cannot be stopped in the middle of an expression.
func (l *loader) within(limit time.Duration, memory uint64, evaluation func()) (finished bool, why string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		evaluation()
	}()
	clock := time.NewTimer(limit)
	defer clock.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	before := heap()
	for {
		select {
		case <-done:
			return true, ""
		case <-clock.C:
			return false, "takes more than " + limit.String()
		case <-look.C:
			if now := heap(); now > before && now-before > memory {
				return false, "takes too much memory"
			}
		}
	}
}

// heap returns the bytes that are in use.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// stopped returns what there is to say if the evaluation was stopped. What the
// evaluation itself works with is left alone.
func (l *loader) stopped(before hcl.Diagnostics, why string) (*Config, hcl.Diagnostics) {
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Evaluation too long",
		Detail:   "The evaluation of the configuration " + why + ". Make its loops and texts smaller, or split the configuration.",
	}
	if n := l.current.Load(); n != nil {
		d.Subject = n.decl.Ptr()
		d.Detail = "The evaluation of " + n.name + " " + why + ". Make its loops and texts smaller, or split the configuration."
	}
	c := &Config{Dir: l.dir, Guard: DefaultGuard(), Files: l.config.Files}
	return c, append(before, d)
}

// current is the node that is being evaluated.
type current = atomic.Pointer[node]
