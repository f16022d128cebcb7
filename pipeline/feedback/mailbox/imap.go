package mailbox

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/art34/art34/pipeline"
)

// Place is how far a folder was collected. It is kept where the messages are.
type Place struct {
	// Validity is the server's UIDVALIDITY: under another one its numbers mean other
	// messages (RFC 3501 §2.3.1.1).
	Validity uint32 `json:"validity"`
	// UID says that every message up to it is kept, or missing.
	UID uint32 `json:"uid"`
	// Unmarked are kept and not yet marked or moved.
	Unmarked []uint32 `json:"unmarked,omitempty"`
	// Missing are there and were not handed over by the server.
	Missing []uint32 `json:"missing,omitempty"`
}

// IMAPConfig says what an IMAP needs.
type IMAPConfig struct {
	Account Account
	Secret  func() (string, error) // password or token; asked for at each login
	Roots   *x509.CertPool         // nil: those of the system
	// Dial connects to the server; nil: over TCP.
	Dial  func(ctx context.Context, server string) (net.Conn, error)
	Limit int // bytes of one message that are kept
	Most  int // messages at a time
	Keep  func(context.Context, []Item) error
	Load  func(context.Context) (Place, error)
	Save  func(context.Context, Place) error
}

// IMAP collects one folder of a server. Nothing is marked or moved there before it
// is kept; after a crash nothing is fetched again, but for the messages that were
// kept at that very moment. Its methods are not safe for concurrent use.
type IMAP struct {
	config  IMAPConfig
	session *session
	careful bool // the last fetch failed: one message at a time
	again   int  // rounds until missing messages are asked for again
}

// NewIMAP returns a collector that is not yet connected.
func NewIMAP(c IMAPConfig) (*IMAP, error) {
	if c.Secret == nil || c.Keep == nil || c.Load == nil || c.Save == nil || c.Limit <= 0 || c.Most <= 0 {
		return nil, errors.New("mailbox: IMAPConfig lacks something")
	}
	if c.Dial == nil {
		c.Dial = func(ctx context.Context, server string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, "tcp", server)
		}
	}
	return &IMAP{config: c}, c.Account.validate()
}

const (
	// longest bounds one round, so that a server that drips does not hold it for ever.
	longest = 10 * time.Minute
	// mostFound bounds the messages of one round; the next one goes on.
	mostFound = 10_000
	// mostBytes bounds the messages that are fetched at a time.
	mostBytes = 16 << 20
	// mostUnmarked and mostMissing bound what is remembered.
	mostUnmarked = 1000
	mostMissing  = 100
	// missingEvery is after how many rounds missing messages are asked for again.
	missingEvery = 60
)

// Close ends the connection.
func (p *IMAP) Close() {
	p.session.hangUp()
	p.session = nil
}

// Check enters the folder, looks and leaves. It changes nothing.
func (p *IMAP) Check(callers context.Context) (messages int, err error) {
	ctx, cancel := context.WithTimeout(callers, time.Minute)
	defer cancel()
	s, err := p.config.enter(ctx)
	if err != nil {
		return 0, own(callers, err)
	}
	defer s.hangUp()
	defer context.AfterFunc(ctx, s.hangUp)()
	box, err := s.Select(p.config.Account.Folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return 0, own(callers, s.explain(err, "cannot be opened"))
	}
	if p.config.Account.Move != "" && !s.moves() {
		return 0, errCannotMove
	}
	return int(box.NumMessages), nil
}

// Collect keeps what is new in the folder and returns how many messages that were.
// The connection stays open for the next time; after an error it is a new one.
func (p *IMAP) Collect(ctx context.Context) (kept int, err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.session == nil {
		if p.session, err = p.config.enter(ctx); err != nil {
			return 0, own(ctx, err)
		}
	}
	defer context.AfterFunc(ctx, p.session.hangUp)()
	r := round{IMAP: p, s: p.session}
	err = r.run(ctx)
	return r.kept, own(ctx, err)
}

// own is an error of ours in place of what our own end of ctx made of the connection:
// that says nothing about the server.
func own(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// round is one look at the folder.
type round struct {
	*IMAP
	s     *session
	place Place
	kept  int
	mark  error // marking was refused; collecting goes on
}

func (r *round) run(ctx context.Context) error {
	r.s.wire.allow(smallTalk)
	box, err := r.s.Select(r.config.Account.Folder, nil).Wait()
	if err != nil {
		return r.s.explain(err, "cannot be opened")
	}
	if box.UIDValidity == 0 {
		return errors.New("the folder cannot be collected: the server gives its messages no lasting numbers (UIDVALIDITY)")
	}
	if r.place, err = r.config.Load(ctx); err != nil {
		return err
	}
	if r.place.Validity != box.UIDValidity {
		// The server numbered its messages anew: all are looked at again, and what was
		// kept before is known by its content.
		r.place = Place{Validity: box.UIDValidity}
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	found, err := r.search(uint32(box.UIDNext))
	if err != nil {
		return err
	}
	if err := r.collect(ctx, found); err != nil {
		return err
	}
	r.careful = false
	if err := r.missing(ctx); err != nil {
		return err
	}
	return r.mark
}

// search returns the numbers of the messages after the place, ascending. What a
// server names beyond its own next number is not believed: the place would jump
// over messages that are still to come.
func (r *round) search(next uint32) (found []uint32, err error) {
	first := r.place.UID + 1
	if first == 0 || next != 0 && next <= first {
		return nil, nil
	}
	set := imap.UIDSet{}
	set.AddRange(imap.UID(first), 0) // to the last
	r.s.wire.allow(32 << 20)
	data, err := r.s.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
	if err != nil {
		return nil, r.s.explain(err, "cannot be searched")
	}
	all, _ := data.All.(imap.UIDSet)
	for _, part := range all {
		if part.Start == 0 || part.Stop == 0 {
			continue // "*" is no number
		}
		last := uint32(part.Stop)
		if next != 0 {
			last = min(last, next-1)
		}
		for uid := uint64(max(uint32(part.Start), first)); uid <= uint64(last) && len(found) < mostFound; uid++ {
			found = append(found, uint32(uid))
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// collect keeps messages, some at a time: fetched, kept, the place remembered, then
// marked.
func (r *round) collect(ctx context.Context, found []uint32) error {
	for chunk := range slices.Chunk(found, r.config.Most) {
		sizes, err := r.sizes(chunk)
		if err != nil {
			return err
		}
		for _, group := range r.groups(chunk, sizes) {
			if err := r.keep(ctx, group, sizes); err != nil {
				return err
			}
		}
		// What has no size is gone; the place moves past it with the next save.
		r.place.UID = chunk[len(chunk)-1]
	}
	return nil
}

// groups cuts the messages of a chunk that are still there into what is fetched at
// a time.
func (r *round) groups(chunk []uint32, sizes map[uint32]int64) (all [][]uint32) {
	var group []uint32
	total := int64(0)
	for _, uid := range chunk {
		size, there := sizes[uid]
		if !there {
			continue
		}
		size = min(size, int64(r.config.Limit))
		if len(group) > 0 && (r.careful || total+size > mostBytes) {
			all, group, total = append(all, group), nil, 0
		}
		group, total = append(group, uid), total+size
	}
	if len(group) > 0 {
		all = append(all, group)
	}
	return all
}

// keep fetches a group and keeps it. One that fails is tried again message by
// message, and a message that fails alone is put on the list of the missing: those
// behind it do not wait for it.
func (r *round) keep(ctx context.Context, group []uint32, sizes map[uint32]int64) error {
	items, got, err := r.fetch(group, sizes)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	lost := slices.DeleteFunc(slices.Clone(group), func(uid uint32) bool { return slices.Contains(got, uid) })
	if err == nil && len(lost) > 0 {
		err = fmt.Errorf("the folder cannot be read: the server did not hand over %d of %d messages", len(lost), len(group))
	}
	if err != nil && !r.careful {
		r.careful = true
		return err
	}
	if len(r.place.Missing)+len(lost) > mostMissing {
		return fmt.Errorf("the folder cannot be read: the server did not hand over more than %d messages", mostMissing)
	}
	if len(items) > 0 {
		if err := r.config.Keep(ctx, items); err != nil {
			return err
		}
		r.kept += len(items)
	}
	r.place.UID = group[len(group)-1]
	r.place.Missing = append(r.place.Missing, lost...)
	r.place.Unmarked = append(r.place.Unmarked, got...)
	if err := r.config.Save(ctx, r.place); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return r.settle(ctx)
}

// missing asks again, now and then, for what the server did not hand over.
func (r *round) missing(ctx context.Context) error {
	if r.again--; r.again > 0 || len(r.place.Missing) == 0 {
		return nil
	}
	r.again = missingEvery
	list := slices.Clone(r.place.Missing)
	sizes, err := r.sizes(list)
	if err != nil {
		return err
	}
	for _, uid := range list {
		// To the end of the list: if this one breaks the connection again, another one is
		// asked for first the next time.
		r.place.Missing = append(r.place.Missing[1:], uid)
		if _, there := sizes[uid]; there {
			items, got, err := r.fetch([]uint32{uid}, sizes)
			if err != nil {
				return errors.Join(err, r.config.Save(ctx, r.place))
			}
			if len(got) == 0 {
				continue
			}
			if err := r.config.Keep(ctx, items); err != nil {
				return err
			}
			r.kept++
			r.place.Unmarked = append(r.place.Unmarked, uid)
		}
		r.place.Missing = slices.DeleteFunc(r.place.Missing, func(m uint32) bool { return m == uid })
		if err := r.config.Save(ctx, r.place); err != nil {
			return err
		}
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settle marks or moves what is kept. A server that refuses to keeps its messages
// as they are: that is said, and collecting goes on.
func (r *round) settle(ctx context.Context) error {
	if len(r.place.Unmarked) == 0 || r.mark != nil {
		if n := len(r.place.Unmarked); n > mostUnmarked {
			r.place.Unmarked = slices.Delete(r.place.Unmarked, 0, n-mostUnmarked)
		}
		return nil
	}
	var set imap.UIDSet
	for _, uid := range r.place.Unmarked {
		set.AddNum(imap.UID(uid))
	}
	r.s.wire.allow(smallTalk)
	err := r.s.settle(set, r.config.Account.Move)
	var no *refusal
	switch {
	case errors.Is(err, errHalfMoved):
		r.mark = err // and not again: every try would make another copy
	case errors.As(err, &no), errors.Is(err, errCannotMove):
		r.mark = err
		return nil
	case err != nil:
		return err
	}
	r.place.Unmarked = nil
	return r.config.Save(ctx, r.place)
}

// item is a message of the folder.
func (r *round) item(raw []byte) Item {
	limit := r.config.Limit
	return Item{Source: pipeline.FromIMAP, Index: 1, Raw: raw[:min(len(raw), limit)], Cut: len(raw) > limit}
}
