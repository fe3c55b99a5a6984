package claude

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// A style is a way of the API to cut a list into pages.
//
// Source: anthropic-sdk-go v1.84.0, pagination; Claude Compliance API,
// pagination; read 2026-11-22.
type style int

const (
	_        style = iota
	byID           // has_more, last_id; next is after_id
	byCursor       // next_page; next is page, whatever has_more says
	byToken        // has_more, next_page; next is page
)

// walk reads all pages of a list. Each page is repeated by itself if its
// answer is lost. There is no partial result.
func walk[T any](ctx context.Context, c *core, op, path string, s style,
	get func(ctx context.Context, cursor string) (string, error),
	item func(json.RawMessage) (T, error),
) ([]T, error) {
	list := []T{}
	cursor := ""
	seen := map[string]bool{}
	k := call{op: op, method: http.MethodGet, path: path, repeat: true}
	for range maxPages {
		var page []T
		var next string
		err := c.do(ctx, k, func(ctx context.Context) error {
			raw, err := get(ctx, cursor)
			if err != nil {
				return err
			}
			var items []json.RawMessage
			if items, next, err = openPage(raw, s); err != nil {
				return err
			}
			if next != "" && (next == cursor || seen[next]) {
				return odd("the list leads back to a page that was read already")
			}
			page = make([]T, 0, len(items))
			for _, raw := range items {
				v, err := item(raw)
				if err != nil {
					return err
				}
				page = append(page, v)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = append(list, page...)
		if next == "" {
			return list, nil
		}
		seen[next] = true
		cursor = next
	}
	return nil, &APIError{Op: op, Method: k.method, Path: path, Message: fmt.Sprintf("the list has more than %d pages", maxPages)}
}

// openPage returns the entries of a page and the cursor of the next one, ""
// after the last. It accepts only what surely is a page: the SDK reads null,
// {} and {"data": {}} as an empty list, which would plan the removal of
// everybody.
func openPage(raw string, s style) (items []json.RawMessage, next string, err error) {
	var w struct {
		Data     json.RawMessage
		HasMore  *bool           `json:"has_more"`
		NextPage json.RawMessage `json:"next_page"`
		LastID   *string         `json:"last_id"`
	}
	if err := decode(raw, &w); err != nil {
		return nil, "", err
	}
	if items, err = array("data", w.Data); err != nil {
		return nil, "", err
	}
	more := w.HasMore != nil && *w.HasMore
	if s == byID {
		switch {
		case w.HasMore == nil:
			return nil, "", odd("a page does not say whether there are more (has_more)")
		case !more:
			return items, "", nil
		case len(items) == 0 || deref(w.LastID) == "":
			return nil, "", odd("there are more pages (has_more), but not where (last_id)")
		}
		return items, *w.LastID, nil
	}
	var page *string
	if w.NextPage != nil {
		if err := json.Unmarshal(w.NextPage, &page); err != nil {
			return nil, "", odd("next_page is neither a string nor null")
		}
	}
	switch {
	case w.HasMore == nil && w.NextPage == nil:
		return nil, "", odd("a page does not say whether there are more (next_page)")
	case more && deref(page) == "":
		return nil, "", odd("there are more pages (has_more), but not where (next_page)")
	case s == byToken && !more:
		return items, "", nil
	}
	return items, deref(page), nil
}
