// Package pullrequest says things on GitHub: one comment on a pull request that
// is edited in place, one check run on a commit, labels, and one issue that is
// kept up to date and closed.
//
// It takes texts and knows nothing of plans. It is the only package that
// imports go-github.
//
// What it wrote earlier it finds by a hidden marker and by the author, since
// anybody may put a marker into a comment of their own. A token is sent over
// TLS, or to this machine, and never along a redirect. What may be repeated is
// repeated after a failure; what creates something is looked up first.
//
// It may be imported by the command alone.
package pullrequest
