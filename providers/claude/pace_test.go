package claude

import (
	"container/heap"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"
)

// A run sends requests of one family through a pacer on a clock of its own,
// with as many senders as a connection has.
type run struct {
	at      time.Time // now
	pace    *pacer
	family  Family
	latency func() time.Duration                               // one way
	reply   func(arrival time.Time) (h http.Header, late bool) // late: 429
	refused int
}

type sender []time.Time

func (s sender) Len() int           { return len(s) }
func (s sender) Less(i, j int) bool { return s[i].Before(s[j]) }
func (s sender) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *sender) Push(x any)        { *s = append(*s, x.(time.Time)) }
func (s *sender) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newRun(family Family, o Options) *run {
	r := &run{at: epoch, family: family, latency: func() time.Duration {
		return 50*time.Millisecond + time.Duration(rand.Int64N(int64(350*time.Millisecond)))
	}}
	o.Now = func() time.Time { return r.at }
	r.pace = newPacer(o)
	return r
}

// send returns when each of n requests arrived, sorted, and how long it took.
// An answer is seen at once by those that are sent after it came back.
func (r *run) send(n int) (arrivals []time.Time, took time.Duration) {
	senders := &sender{}
	for range parallel {
		heap.Push(senders, epoch)
	}
	type answer struct {
		at time.Time
		h  http.Header
	}
	var answers []answer
	for n > 0 {
		r.at = heap.Pop(senders).(time.Time)
		answers = slices.DeleteFunc(answers, func(a answer) bool {
			if a.at.After(r.at) {
				return false
			}
			r.pace.observe(r.family, a.h)
			r.pace.land(r.pace.lanes[r.family])
			return true
		})
		if d := r.pace.take(r.pace.lanes[r.family]); d > 0 {
			heap.Push(senders, r.at.Add(d))
			continue
		}
		arrival := r.at.Add(r.latency())
		back := arrival.Add(r.latency())
		heap.Push(senders, back)
		var h http.Header
		if r.reply != nil {
			late := false
			if h, late = r.reply(arrival); late {
				r.refused++
			}
		}
		answers = append(answers, answer{back, h})
		arrivals = append(arrivals, arrival)
		n--
	}
	slices.SortFunc(arrivals, time.Time.Compare)
	return arrivals, arrivals[len(arrivals)-1].Sub(epoch)
}

// TestPaceNeverExceedsAndStaysClose: in no stretch of time as long as the
// window does the server see more than the budget, wherever its own windows
// begin, and all of it takes no more than 5 % longer than requests / limit.
func TestPaceNeverExceedsAndStaysClose(t *testing.T) {
	tests := map[Family]int{
		FamilyAdmin: 40_000, FamilySpend: 6_000, FamilyCompliance: 20_000, FamilyInvite: 7_000,
		FamilyPluginRead: 9_000, FamilyPluginWrite: 6_000,
	}
	for family, n := range tests {
		t.Run(string(family), func(t *testing.T) {
			b := documented[family]
			arrivals, took := newRun(family, Options{}).send(n)
			for i := b.n; i < len(arrivals); i++ {
				if d := arrivals[i].Sub(arrivals[i-b.n]); d < b.per {
					t.Fatalf("requests %d to %d arrived within %v, which is shorter than %v", i-b.n, i, d, b.per)
				}
			}
			ideal := time.Duration(float64(n) / float64(b.n) * float64(b.per))
			if took > ideal*105/100 {
				t.Errorf("%d requests took %v, more than 5 %% over %v", n, took, ideal)
			}
		})
	}
}

// TestPaceLeavesRoomForOthers: another tool spends a third of the budget. The
// server's headers are the only sign of it, and nothing is refused.
func TestPaceLeavesRoomForOthers(t *testing.T) {
	r := newRun(FamilyPluginRead, Options{})
	const limit = 300
	var ends time.Time
	used := 0
	r.reply = func(arrival time.Time) (http.Header, bool) {
		if !arrival.Before(ends) {
			ends, used = arrival.Truncate(time.Second).Add(time.Minute), 100 // the other tool's
		}
		late := used >= limit
		if !late {
			used++
		}
		return http.Header{
			"Anthropic-Ratelimit-Requests-Limit":     {strconv.Itoa(limit)},
			"Anthropic-Ratelimit-Requests-Remaining": {strconv.Itoa(limit - used)},
			"Anthropic-Ratelimit-Requests-Reset":     {ends.Format(time.RFC3339)},
		}, late
	}
	_, took := r.send(4_000)
	if r.refused > 0 {
		t.Errorf("%d requests were refused", r.refused)
	}
	if ideal := 20 * time.Minute; took > ideal*110/100 {
		t.Errorf("took %v, and %v would do", took, ideal)
	}
}

// TestPaceBelievesTheServersLimit: a budget that is larger or smaller than
// documented is used as it is, but never beyond what the user allows.
func TestPaceBelievesTheServersLimit(t *testing.T) {
	limit := func(n int) http.Header { return http.Header{"Anthropic-Ratelimit-Requests-Limit": {strconv.Itoa(n)}} }
	spent := func(o Options, n int) int {
		r := newRun(FamilyAdmin, o)
		r.pace.observe(FamilyAdmin, limit(n))
		sent := 0
		for r.pace.take(r.pace.lanes[FamilyAdmin]) <= 0 {
			sent++
		}
		return sent
	}
	half := Options{Budget: func(Family) (int, time.Duration) { return 50, time.Minute }}
	for name, tt := range map[string]struct {
		o    Options
		n    int
		want int
	}{
		"larger": {Options{}, 250, 250}, "smaller": {Options{}, 40, 40}, "absurd": {Options{}, 1 << 30, 100},
		"larger-than-allowed": {half, 250, 50}, "smaller-than-allowed": {half, 40, 40},
	} {
		if got := spent(tt.o, tt.n); got != tt.want {
			t.Errorf("%s: %d requests at once, want %d", name, got, tt.want)
		}
	}
}
