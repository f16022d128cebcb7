package mailbox

import (
	"context"
	"net"
)

// NewIMAPOn collects from a server at the other end of a connection.
func NewIMAPOn(conn net.Conn, keep func([]Item)) (*IMAP, error) {
	var place Place
	return NewIMAP(IMAPConfig{
		Account: Account{Host: "localhost", Port: 143, User: "me", Folder: "INBOX", Clear: true},
		Secret:  func() (string, error) { return "x", nil }, Limit: 1000, Most: 3,
		Dial: func(context.Context, string) (net.Conn, error) { return conn, nil },
		Keep: func(_ context.Context, items []Item) error { keep(items); return nil },
		Load: func(context.Context) (Place, error) { return place, nil },
		Save: func(_ context.Context, p Place) error { place = p; return nil },
	})
}
