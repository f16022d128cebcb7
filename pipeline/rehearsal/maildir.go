package rehearsal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// maildir keeps messages as files: written under tmp, moved to new when complete,
// so that a reader never sees half a message.
type maildir struct {
	dir  string
	next atomic.Int64
}

func newMaildir(dir string) (*maildir, error) {
	for _, d := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	m := &maildir{dir: dir}
	// A relay that starts again goes on counting behind what is there, and clears
	// away the halves that a dead one left.
	for _, d := range []string{"tmp", "new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, d))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			count, ok := strings.CutSuffix(strings.SplitN(e.Name(), ":", 2)[0], suffix)
			n, err := strconv.ParseInt(count, 10, 64)
			if !ok || err != nil {
				continue // not ours
			}
			m.next.Store(max(m.next.Load(), n))
			if d != "tmp" {
				continue
			}
			if err := os.Remove(filepath.Join(dir, d, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// suffix ends the names of our files.
const suffix = ".practice"

// deliver stores a message with its envelope in two header fields at the top, as a
// mail server's last hop does (RFC 5321 §4.4).
func (m *maildir) deliver(from, to string, body io.Reader) (n int64, err error) {
	name := fmt.Sprintf("%09d%s", m.next.Add(1), suffix)
	tmp := filepath.Join(m.dir, "tmp", name)
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 16<<10)
	_, err = fmt.Fprintf(w, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", from, to)
	if err == nil {
		n, err = io.Copy(w, body)
	}
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		return n, errors.Join(err, os.Remove(tmp))
	}
	return n, os.Rename(tmp, filepath.Join(m.dir, "new", name))
}
