package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/art34/art34/pipeline/feedback/mailbox"
)

const (
	// metaFolder is how far a folder was collected; a hash says which one, because its
	// name and its user's may be a person's.
	metaFolder = "imap/"
	// folderEvery is how often a folder is looked at, and folderSlowest how seldom
	// while its server is away.
	folderEvery   = 15 * time.Second
	folderSlowest = 5 * time.Minute
)

// folders returns the IMAP folders that are collected; keep keeps what is found.
func (h *house) folders(keep func(context.Context, []mailbox.Item) error) ([]*mailbox.IMAP, error) {
	if n := len(h.FeedbackIMAPPasswordFile); n > 1 && n != len(h.FeedbackIMAP) {
		return nil, refuse("feedback-imap", fmt.Sprintf("there are %d mailboxes and %d files with their passwords", len(h.FeedbackIMAP), n), "name one file for all mailboxes, or one for each in the same order")
	}
	var all []*mailbox.IMAP
	for i, text := range h.FeedbackIMAP {
		account, err := mailbox.ParseAccount(text)
		if err != nil {
			return nil, err
		}
		file := ""
		if n := len(h.FeedbackIMAPPasswordFile); n > 0 {
			file = h.FeedbackIMAPPasswordFile[min(i, n-1)]
		}
		ask := func() (string, error) { return secret(file, "ART34_FEEDBACK_IMAP_PASSWORD") }
		if password, err := ask(); err != nil {
			return nil, err
		} else if password == "" {
			return nil, refuse("feedback-imap", "the mailbox has a user and no password", "put it into a file and name the file in ART34_FEEDBACK_IMAP_PASSWORD_FILE")
		}
		sum := sha256.Sum256([]byte(account.Server() + "\x00" + account.User + "\x00" + account.Folder))
		key := metaFolder + hex.EncodeToString(sum[:12])
		f, err := mailbox.NewIMAP(mailbox.IMAPConfig{
			Account: account, Secret: ask, Limit: maxInbound, Most: ingestAtOnce, Keep: keep,
			Load: func(ctx context.Context) (mailbox.Place, error) { return news[mailbox.Place](ctx, h, key) },
			Save: func(ctx context.Context, p mailbox.Place) error {
				data, err := json.Marshal(p)
				if err == nil {
					_, err = h.ledger.SetMeta(ctx, key, string(data), false)
				}
				return err
			},
		})
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// follow collects a folder until ctx ends: what fails is tried again, less and less
// often, and said once.
func (s *feedbackService) follow(ctx context.Context, f *mailbox.IMAP) {
	defer f.Close()
	wait, said := folderEvery, ""
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !s.leads(ctx) {
			f.Close()
			timer.Reset(folderEvery)
			continue
		}
		_, err := f.Collect(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if said != "" {
				s.h.log.Info("the mailbox is collected again")
			}
			wait, said = folderEvery, ""
		default:
			if err.Error() != said {
				s.h.log.Warn("a mailbox cannot be collected now; it is tried again", "error", err)
			}
			said = err.Error()
			timer.Reset(wait)
			wait = min(2*wait, folderSlowest)
			continue
		}
		timer.Reset(wait)
	}
}

// folders looks into every IMAP folder, and changes nothing there.
func (d *doctor) folders(ctx context.Context) {
	none := func(context.Context, []mailbox.Item) error { return nil }
	all, err := d.h.folders(none)
	if err != nil {
		e := explained(err)
		d.say(doctorFail, "mailbox", "", e.Sentence, e.Hint)
		return
	}
	for i, f := range all {
		account, err := mailbox.ParseAccount(d.h.FeedbackIMAP[i])
		if err != nil {
			continue // it was read a moment ago
		}
		n, err := f.Check(ctx)
		if err != nil {
			d.say(doctorFail, "mailbox", account.Host, explained(err).Sentence, "art34 run collects what comes back from there: mend the server, the password or ART34_FEEDBACK_IMAP")
			continue
		}
		how := ", encrypted"
		if account.Clear {
			how = " without encryption, on this machine"
		}
		d.say(doctorOK, "mailbox", account.Host, fmt.Sprintf("it takes our login%s; the folder holds %s", how, count(int64(n), "message", "messages")), "")
	}
}
