package mailbox

import (
	"errors"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// sizes asks how large messages are. Those that are not answered for are gone (RFC
// 3501 §6.4.8).
func (r *round) sizes(uids []uint32) (map[uint32]int64, error) {
	r.s.wire.allow(smallTalk)
	cmd := r.s.Fetch(setOf(uids), &imap.FetchOptions{UID: true, RFC822Size: true})
	sizes := map[uint32]int64{}
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		var uid uint32
		var size int64
		for i := m.Next(); i != nil; i = m.Next() {
			switch i := i.(type) {
			case imapclient.FetchItemDataUID:
				uid = uint32(i.UID)
			case imapclient.FetchItemDataRFC822Size:
				size = i.Size
			}
		}
		sizes[uid] = max(size, 0)
	}
	return sizes, r.s.explain(cmd.Close(), "cannot be read")
}

// fetch gets messages without marking them, and of each no more than one byte above
// the limit. The library hands over only what was asked for; got are those that
// came whole. An answer that did not come to its end counts for nothing.
func (r *round) fetch(uids []uint32, sizes map[uint32]int64) (items []Item, got []uint32, err error) {
	limit := int64(r.config.Limit) + 1
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 0, Size: limit}}
	allowed := int64(smallTalk)
	for _, uid := range uids {
		// Some servers only guess at the size.
		allowed += min(2*min(sizes[uid], limit)+64<<10, limit+64<<10)
	}
	r.s.wire.allow(allowed)
	cmd := r.s.Fetch(setOf(uids), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		var uid uint32
		var raw []byte
		whole := false
		for i := m.Next(); i != nil; i = m.Next() {
			switch i := i.(type) {
			case imapclient.FetchItemDataUID:
				uid = uint32(i.UID)
			case imapclient.FetchItemDataBodySection:
				if i.Literal == nil || whole || !i.MatchCommand(section) {
					continue
				}
				raw, err = io.ReadAll(io.LimitReader(i.Literal, limit))
				whole = err == nil && int64(len(raw)) == min(i.Literal.Size(), limit)
			}
		}
		if whole && len(raw) > 0 {
			items, got = append(items, r.item(raw)), append(got, uid)
		}
	}
	if err := cmd.Close(); err != nil {
		return nil, nil, r.s.explain(err, "cannot be read")
	}
	return items, got, nil
}

func setOf(uids []uint32) (set imap.UIDSet) {
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

var errCannotMove = errors.New("the server cannot move messages without deleting others (it has neither MOVE nor UIDPLUS); leave move out of the mailbox's URL: messages stay, marked as seen")

// moves reports whether messages can be moved without touching others.
func (s *session) moves() bool { return s.caps.Has(imap.CapMove) || s.caps.Has(imap.CapUIDPlus) }

// settle marks messages as seen, or moves them. Numbers of messages that are gone
// are passed over by the server.
func (s *session) settle(set imap.UIDSet, folder string) error {
	if folder == "" {
		return s.explain(s.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close(), "cannot be marked")
	}
	if !s.moves() {
		return errCannotMove
	}
	err := s.move(set, folder)
	var no *imap.Error
	if errors.As(err, &no) && (no.Code == imap.ResponseCodeTryCreate || no.Code == imap.ResponseCodeNonExistent) {
		if err := s.Create(folder, nil).Wait(); err != nil {
			return s.explain(err, "that messages are moved to cannot be made")
		}
		err = s.move(set, folder)
	}
	if errors.Is(err, errHalfMoved) {
		return err
	}
	return s.explain(err, "that messages are moved to does not take them")
}

var errHalfMoved = errors.New("messages were copied to the folder that they are moved to, and the server does not let them be deleted here: they stay, and are not copied again")

// move moves messages in one step, or copies first and deletes only what was
// copied. The library's own way round would delete what could not be copied.
func (s *session) move(set imap.UIDSet, folder string) error {
	if s.caps.Has(imap.CapMove) {
		_, err := s.Move(set, folder).Wait()
		return err
	}
	if _, err := s.Copy(set, folder).Wait(); err != nil {
		return err
	}
	err := s.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	if err == nil {
		err = s.UIDExpunge(set).Close()
	}
	var no *imap.Error
	if errors.As(err, &no) {
		return errHalfMoved
	}
	return err
}
