package testenv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// pgExec runs SQL on a connection of its own by the simple query protocol
// (PostgreSQL documentation, "Message Formats"), with trust authentication. It is
// enough to create and drop databases; the client library has its home elsewhere.
func pgExec(addr, user, database, sql string) error {
	c, err := net.DialTimeout("tcp4", addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	const protocol3 = 3 << 16
	hello := binary.BigEndian.AppendUint32(nil, protocol3)
	for _, s := range []string{"user", user, "database", database, ""} {
		hello = append(append(hello, s...), 0)
	}
	if err := pgSend(c, 0, hello); err != nil {
		return err
	}
	if err := pgReady(c); err != nil {
		return err
	}
	if err := pgSend(c, 'Q', append([]byte(sql), 0)); err != nil {
		return err
	}
	return pgReady(c)
}

// pgSend writes one message: a type, but for the first of a connection, and a
// length that counts itself.
func pgSend(w io.Writer, kind byte, body []byte) error {
	var m []byte
	if kind != 0 {
		m = append(m, kind)
	}
	m = binary.BigEndian.AppendUint32(m, uint32(len(body)+4))
	_, err := w.Write(append(m, body...))
	return err
}

// pgReady reads until the server is ready for a query and returns the errors that
// it reported on the way.
func pgReady(r io.Reader) error {
	var failed error
	for {
		var head [5]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return errors.Join(failed, err)
		}
		body := make([]byte, max(int(binary.BigEndian.Uint32(head[1:]))-4, 0))
		if _, err := io.ReadFull(r, body); err != nil {
			return errors.Join(failed, err)
		}
		switch head[0] {
		case 'E':
			failed = errors.Join(failed, fmt.Errorf("postgres: %s", pgMessage(body)))
		case 'R':
			if binary.BigEndian.Uint32(body) != 0 {
				return errors.New("postgres asks for a password")
			}
		case 'Z':
			return failed
		}
	}
}

// pgMessage returns the human text of an ErrorResponse.
func pgMessage(body []byte) string {
	for field := range bytes.SplitSeq(body, []byte{0}) {
		if len(field) > 0 && field[0] == 'M' {
			return string(field[1:])
		}
	}
	return "error"
}
