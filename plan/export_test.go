package plan

import (
	"crypto/sha256"
	"encoding/hex"
)

// Seal puts the head of a saved plan in front of contents, so that a fuzzer
// gets past the checksum.
func Seal(contents []byte) []byte {
	sum := sha256.Sum256(contents)
	return append([]byte(savedMagic+savedVersion+"\n"+savedCreated+"x\n"+savedChecksum+hex.EncodeToString(sum[:])+"\n"), contents...)
}
