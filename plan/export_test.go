package plan

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/rolecall/rolecall/schema"
	"github.com/rolecall/rolecall/schema/access"
)

// Seal puts the head of a saved plan in front of contents, so that a fuzzer
// gets past the checksum.
func Seal(contents []byte) []byte {
	sum := sha256.Sum256(contents)
	return append([]byte(savedMagic+savedVersion+"\n"+savedCreated+"x\n"+savedChecksum+hex.EncodeToString(sum[:])+"\n"), contents...)
}

// SaveOrder saves no more than what it takes to prove an order: stages are
// numbers of steps, each settled before the next.
func SaveOrder(m *access.Model, from, to []*access.State, steps []schema.Step, stages [][]int) []byte {
	return SaveOrderFor("", m, from, to, steps, stages)
}

// SaveOrderFor is SaveOrder of a plan with a promise.
func SaveOrderFor(bound string, m *access.Model, from, to []*access.State, steps []schema.Step, stages [][]int) []byte {
	w := &writer{}
	w.record("plan", savedHead{Bound: bound})
	for _, stage := range stages {
		w.record("stage", Stage{Phase: "one"})
		for _, i := range stage {
			w.record("step", saveStep(&steps[i], "neutral"))
		}
	}
	(&proof{m, from, to}).write(w)
	return Seal(w.Bytes())
}
