//go:build unix

package seal

import (
	"os"
	"syscall"
)

// lock takes the lock beside the key file and returns what gives it back. The
// lock ends with the process, whatever happens to it.
func lock(path string) (func(), error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &Error{Code: "key-file-unwritable", Sentence: "the key file cannot be locked: " + err.Error(), Cause: err}
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, &Error{Code: "key-file-unwritable", Sentence: "the key file cannot be locked: " + err.Error(), Cause: err}
	}
	return func() { _ = f.Close() }, nil
}
