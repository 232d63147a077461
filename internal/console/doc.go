// Package console is the web console at /_licet/: functions, roles, the decision log, explanations, and who may invoke what.
//
// Whoever signs in with an access key acts as its principal. What a page shows of AWS's services comes through dispatch, judged and
// recorded as a call of that principal; what it shows of the decision log, and what is supposed, comes from edge, which lets in an
// account's root only. The console holds no data and has no rights of its own, and changes nothing: every page but signing in and out
// is a GET without effect.
//
// A session is a sealed cookie, good for an hour. Every request asks the directory for the key again, so that a key that was
// deactivated or deleted is signed out at once. Requests are answered only under a loopback name or address, or a name that the
// configuration gives (against DNS rebinding); signing in needs loopback or TLS; forms must come from the page itself (Origin, and a
// token); refused attempts are limited. Everything is escaped by html/template, nothing is cached, nothing outside the server is
// loaded, and no page needs the script but to follow the log and to copy. What others wrote and the same origin serves, objects and
// answers of functions, browsers show in a sandbox (Before).
//
// BUG: cookies do not know ports. Another server on the same host name that a browser asks for a path below /_licet/ is sent the cookie.
//
// A Console is safe for concurrent use. After an error the page says what is for the client, and no part of another's data.
//
// To add a page: its file with a handler and the struct it draws, a template of the same name, and one line in routes.
package console
