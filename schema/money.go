package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// An Amount is an amount of money, exactly.
type Amount struct {
	Minor int64 // in the minor unit of the currency
	Item        // as it is written, in major units
}

// maxMinor bounds amounts, so that sums of them over all members of an
// organization stay exact.
const maxMinor = 1_000_000_000_000_000

// MinorUnits returns an amount in major units, such as "200.00", in minor
// units. A currency has digits digits after the point: 2 where the minor unit
// is the cent, 0 where there is none.
//
// Errors: a text that is no amount, an amount that is finer than the minor
// unit, and one that is too large to be meant. They name s and what to write.
func MinorUnits(s string, digits int) (int64, error) {
	if !amountForm.MatchString(s) {
		return 0, fmt.Errorf("%s is not an amount. Write digits, and a point before the decimals, such as \"200.00\"", quote(s))
	}
	whole, decimals, _ := strings.Cut(s, ".")
	decimals = strings.TrimRight(decimals, "0")
	if len(decimals) > digits {
		return 0, fmt.Errorf("%s is finer than the currency's minor unit, which is %s. Round it", quote(s), minorUnit(digits))
	}
	whole = strings.TrimLeft(whole, "0") + decimals + strings.Repeat("0", digits-len(decimals))
	n, err := strconv.ParseInt("0"+whole, 10, 64)
	if err != nil || n > maxMinor {
		return 0, fmt.Errorf("%s is more than any limit can be. Correct it", quote(s))
	}
	return n, nil
}

// minorUnit writes one minor unit in major units.
func minorUnit(digits int) string {
	if digits == 0 {
		return "1"
	}
	return "0." + strings.Repeat("0", digits-1) + "1"
}
