package providers

import (
	"fmt"
	"net"
	"net/url"
)

// Secure reports an error if a secret must not be sent to u: without TLS it may
// go to this machine only.
func Secure(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%s://%s: credentials are sent over https only; use an https address", u.Scheme, u.Host)
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
