package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"sort"
	"strconv"
)

// A pageSize says how many objects a page of an endpoint has.
type pageSize struct{ standard, max int }

// adminPage is the page size of the Admin API.
//
// Source: anthropic-sdk-go v1.84.0, comment of each Limit parameter; read
// 2026-11-22.
var adminPage = pageSize{20, 1000}

// limit reads the limit parameter.
//
// Source: Compliance API docs, Errors, for the text; read 2026-11-22. That the
// other endpoints also answer 400 is inferred.
func (c *call) limit(size pageSize) (int, error) {
	text := c.query.Get("limit")
	if text == "" && !c.query.Has("limit") {
		return size.standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > size.max {
		return 0, invalid("The limit parameter must be between 1 and %d, inclusive. Got %s.", size.max, text)
	}
	return n, nil
}

// short applies the faults short_page and empty_page to the number of objects
// that a page would have.
func (c *call) short(n int) int {
	switch {
	case c.fault == nil:
		return n
	case c.fault.Do == doShortPage:
		return n / 2
	case c.fault.Do == doEmptyPage:
		return 0
	}
	return n
}

// An idPage is a page of members or invites.
//
// Source: anthropic-sdk-go v1.84.0, packages/pagination, Page.
type idPage[T any] struct {
	Data    []T     `json:"data"`
	HasMore bool    `json:"has_more"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
}

// paginateByID returns the page after after_id or before before_id.
//
// Errors: both parameters at once and an unknown ID are a 400 (inferred).
func paginateByID[T any](c *call, size pageSize, items []T, idOf func(T) string) (page []T, more bool, err error) {
	limit, err := c.limit(size)
	if err != nil {
		return nil, false, err
	}
	after, before := c.query.Get("after_id"), c.query.Get("before_id")
	if after != "" && before != "" {
		return nil, false, invalid("Only one of after_id and before_id can be given.")
	}
	from, to := 0, len(items)
	switch {
	case after != "":
		i := slices.IndexFunc(items, func(v T) bool { return idOf(v) == after })
		if i < 0 {
			return nil, false, invalid("after_id: no object with the ID %q is in this list", after)
		}
		from = i + 1
	case before != "":
		i := slices.IndexFunc(items, func(v T) bool { return idOf(v) == before })
		if i < 0 {
			return nil, false, invalid("before_id: no object with the ID %q is in this list", before)
		}
		to = i
		n := c.short(min(limit, to))
		return items[to-n : to], to-n > 0, nil
	}
	n := c.short(min(limit, to-from))
	return items[from : from+n], from+n < to, nil
}

// newIDPage puts objects into an [idPage].
func newIDPage[T any](data []T, more bool, idOf func(T) string) idPage[T] {
	p := idPage[T]{Data: data, HasMore: more}
	if len(data) > 0 {
		first, last := idOf(data[0]), idOf(data[len(data)-1])
		p.FirstID, p.LastID = &first, &last
	}
	return p
}

// A cursorPage is a page of groups, memberships, roles or permissions, and of
// everything but the feed in the Compliance API.
//
// Source: anthropic-sdk-go v1.84.0, packages/pagination, PageCursor.
type cursorPage[T any] struct {
	Data     []T     `json:"data"`
	HasMore  bool    `json:"has_more"`
	NextPage *string `json:"next_page"`
}

// A spendPage is a page of spend limits. It has no has_more.
//
// Source: anthropic-sdk-go v1.84.0, betaorganizationspendlimit.go.
type spendPage[T any] struct {
	Data     []T     `json:"data"`
	NextPage *string `json:"next_page"`
}

// A cursor is what next_page holds, in base64. To a client it is opaque.
type cursor struct {
	Cursor string `json:"cursor"` // key of the last object of the page before
	List   string `json:"list"`   // the path and the filters it belongs to
}

// paginate returns a page of items, which are sorted by keyOf without two that
// are equal. next is nil on the last page. The cursor is a key and not a number,
// so that objects that come or go between two pages shift nothing.
//
// Errors: a cursor of another path or other filters is a 400. Source: Spend
// Limits API guide, "cursor does not match current query parameters"; read
// 2026-11-22; that it holds for the other endpoints is inferred.
func paginate[T any](c *call, size pageSize, items []T, keyOf func(T) string) (page []T, next *string, err error) {
	limit, err := c.limit(size)
	if err != nil {
		return nil, nil, err
	}
	list := c.listID()
	after, err := c.cursor(list)
	if err != nil {
		return nil, nil, err
	}
	from := 0
	if after != "" {
		from = sort.Search(len(items), func(i int) bool { return keyOf(items[i]) > after })
	}
	n := c.short(min(limit, len(items)-from))
	page = items[from : from+n]
	if from+n >= len(items) {
		return page, nil, nil
	}
	if n > 0 {
		after = keyOf(page[n-1])
	}
	raw, err := encode(cursor{after, list})
	if err != nil {
		return nil, nil, err
	}
	text := base64.StdEncoding.EncodeToString(raw)
	return page, &text, nil
}

// listID identifies a list: its path and all parameters but limit, page and
// beta.
func (c *call) listID() string {
	filters := url.Values{}
	for name, values := range c.query {
		if name != "limit" && name != "page" && name != "beta" {
			filters[name] = values
		}
	}
	return makeID("", c.path, filters.Encode())
}

func (c *call) cursor(list string) (string, error) {
	text := c.query.Get("page")
	if text == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	var v cursor
	if err != nil || json.Unmarshal(raw, &v) != nil || v.List == "" {
		return "", invalid("The page parameter is not a cursor of this API.")
	}
	if v.List != list {
		return "", invalid("cursor does not match current query parameters")
	}
	return v.Cursor, nil
}
