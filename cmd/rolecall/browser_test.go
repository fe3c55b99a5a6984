package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A browser is a Chromium without a window, spoken to in the DevTools protocol
// over a pair of pipes: messages are JSON, each ended by a zero byte.
//
// Source: Chrome DevTools Protocol, tot, and `--remote-debugging-pipe`.
type browser struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	session string
	last    int
	asked   []string // URLs of requests since the page was opened
}

type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// openBrowser starts a Chromium. Without one the test is passed over, but not
// in continuous integration, where it must be there.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no Chromium; the HTML of plans is not looked at")
		}
		t.Skip("there is no Chromium; install it to have the HTML of plans looked at")
	}
	toRead, toWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromRead, fromWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	args := []string{"--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir()}
	if os.Getuid() == 0 { // the sandbox does not work for root
		args = append(args, "--no-sandbox")
	}
	cmd := exec.CommandContext(ctx, path, append(args, "about:blank")...)
	cmd.ExtraFiles = []*os.File{toRead, fromWrite} // 3 and 4
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	_, _ = toRead.Close(), fromWrite.Close()
	b := &browser{t: t, in: toWrite, out: bufio.NewReaderSize(fromRead, 1<<20)}
	t.Cleanup(func() {
		b.session = ""
		b.send("Browser.close", nil)
		_ = cmd.Wait() // it was told to end, or its time is over
		cancel()
		_, _ = toWrite.Close(), fromRead.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.call("Network.enable", nil, nil)
	b.call("Page.enable", nil, nil)
	return b
}

func (b *browser) send(method string, params any) {
	b.t.Helper()
	b.last++
	p, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	if params == nil {
		p = []byte("{}")
	}
	m, err := json.Marshal(message{ID: b.last, Method: method, Params: p, SessionID: b.session})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(m, 0)); err != nil {
		b.t.Fatalf("the browser does not listen: %v", err)
	}
}

// next returns the next message, and notes requests.
func (b *browser) next() message {
	b.t.Helper()
	raw, err := b.out.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser has ended: %v", err)
	}
	var m message
	if err := json.Unmarshal(raw[:len(raw)-1], &m); err != nil {
		b.t.Fatal(err)
	}
	if m.Method == "Network.requestWillBeSent" {
		var p struct{ Request struct{ URL string } }
		if err := json.Unmarshal(m.Params, &p); err != nil {
			b.t.Fatal(err)
		}
		b.asked = append(b.asked, p.Request.URL)
	}
	return m
}

func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.send(method, params)
	for id := b.last; ; {
		m := b.next()
		if m.ID != id {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// open shows a file and waits until it is loaded.
func (b *browser) open(path string) {
	b.t.Helper()
	b.asked = nil
	b.call("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	for b.next().Method != "Page.loadEventFired" {
	}
}

// eval returns what an expression comes to in the page.
func (b *browser) eval(expression string, v any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%.60s: %s", expression, r.ExceptionDetails)
	}
	if v != nil {
		if err := json.Unmarshal(r.Result.Value, v); err != nil {
			b.t.Fatal(errors.Join(err, fmt.Errorf("%s", r.Result.Value)))
		}
	}
}

func (b *browser) press(key string, code int, text string) {
	b.t.Helper()
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}, nil)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}, nil)
}

// contrast returns the texts of the page that are too faint, each with its
// ratio: WCAG 2.2, 1.4.3 (AA), 3:1 for large text and 4.5:1 for all other.
const contrast = `(() => {
  const parse = c => { const m = c.match(/[\d.]+/g); return m ? [+m[0], +m[1], +m[2], m.length > 3 ? +m[3] : 1] : [0, 0, 0, 0]; };
  const over = (f, b) => [0, 1, 2].map(i => f[i] * f[3] + b[i] * (1 - f[3])).concat(1);
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => {
    const layers = [];
    for (let x = e; x; x = x.parentElement) layers.push(parse(getComputedStyle(x).backgroundColor));
    return layers.reverse().reduce((b, f) => over(f, b), [255, 255, 255, 1]);
  };
  const bad = {}; let seen = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; n = walk.nextNode();) {
    const e = n.parentElement, s = getComputedStyle(e);
    if (!n.data.trim() || e.tagName === 'title' || !e.getClientRects().length || s.visibility === 'hidden') continue;
    seen++;
    let b = behind(e), f = s.color;
    if (e instanceof SVGElement) {
      f = s.fill;
      const r = e.closest('g') && e.closest('g').querySelector('rect');
      if (r) b = over(parse(getComputedStyle(r).fill), behind(e.closest('svg')));
    }
    const x = light(over(parse(f), b)), y = light(b), size = parseFloat(s.fontSize);
    const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    const large = size >= 24 || size >= 18.66 && +s.fontWeight >= 700;
    if (ratio < (large ? 3 : 4.5)) bad[ratio.toFixed(2) + ' ' + e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + n.data.trim().slice(0, 40)] = 1;
  }
  return {seen, bad: Object.keys(bad).slice(0, 10), wide: document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll *'))
    .slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40)), dark: matchMedia('(prefers-color-scheme:dark)').matches};
})()`

// TestPageInABrowser looks at the HTML of plans as somebody would who has no
// mouse, who sees little, or who has it open where nothing may be asked of any
// server.
func TestPageInABrowser(t *testing.T) {
	b := openBrowser(t)
	for name := range examples {
		t.Run(name, func(t *testing.T) {
			b.t = t
			dir := copyDir(t, filepath.Join("..", "..", "examples", name))
			page := planned(t, dir, "--format", "html")
			if len(page) > 5_000_000 {
				t.Errorf("the page has %d bytes, want at most 5,000,000", len(page))
			}
			file := filepath.Join(t.TempDir(), "plan.html")
			if err := os.WriteFile(file, page, 0o600); err != nil {
				t.Fatal(err)
			}
			b.open(file)
			if name == "acme" { // real-org has the same folds with more in them
				everyFoldByKeyboard(t, b)
			}
			b.eval("document.querySelectorAll('details').forEach(d => d.open = true)", nil)
			for _, width := range []int{1280, 360} {
				b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
				for _, scheme := range []string{"light", "dark"} {
					b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
					var r struct {
						Seen      int
						Bad, Wide []string
						Dark      bool
					}
					b.eval(contrast, &r)
					if r.Dark != (scheme == "dark") || r.Seen < 300 {
						t.Fatalf("%s: %d texts were looked at, dark %v", scheme, r.Seen, r.Dark)
					}
					if len(r.Bad) > 0 {
						t.Errorf("%s: too faint:\n%s", scheme, strings.Join(r.Bad, "\n"))
					}
					if len(r.Wide) > 0 {
						t.Errorf("at %d pixels the page has to be moved sideways: %q", width, r.Wide)
					}
				}
			}
			for _, url := range b.asked {
				if url != "file://"+file && !strings.HasPrefix(url, "data:") {
					t.Errorf("the page asks for %s", url)
				}
			}
		})
	}
}

// everyFoldByKeyboard walks through the page with the tab key, opens what is
// closed with the enter key, and wants nothing to stay closed.
func everyFoldByKeyboard(t *testing.T, b *browser) {
	t.Helper()
	const focus = `(() => {
		const e = document.activeElement, d = e.tagName === 'SUMMARY' ? e.parentElement : null;
		const s = getComputedStyle(e), folds = [...document.querySelectorAll('details')];
		return {tag: e.tagName, fold: d ? folds.indexOf(d) : -1, open: !!d && d.open, folds: folds.length,
			closed: folds.filter(d => !d.open).length, ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2};
	})()`
	type state struct {
		Tag                 string
		Fold, Folds, Closed int
		Open, Ring          bool
	}
	var at state
	b.eval(focus, &at)
	if at.Folds < 10 || at.Closed != at.Folds {
		t.Fatalf("%d of %d folds are closed at first", at.Closed, at.Folds)
	}
	var tags []string
	for steps := 0; steps < 4*at.Folds+50 && at.Closed > 0; steps++ {
		b.press("Tab", 9, "")
		b.eval(focus, &at)
		if !slices.Contains(tags, at.Tag) {
			tags = append(tags, at.Tag)
		}
		if at.Tag != "BODY" && !at.Ring {
			t.Fatalf("the focus on %s does not show", at.Tag)
		}
		if at.Fold >= 0 && !at.Open {
			b.press("Enter", 13, "\r")
			if b.eval(focus, &at); !at.Open {
				t.Fatalf("the enter key does not open fold %d", at.Fold)
			}
		}
	}
	if at.Closed > 0 {
		t.Errorf("%d of %d folds cannot be reached by keyboard", at.Closed, at.Folds)
	}
	for _, tag := range []string{"A", "SUMMARY", "DIV"} { // links, folds, and what scrolls
		if !slices.Contains(tags, tag) {
			t.Errorf("the tab key reaches no %s", tag)
		}
	}
}
