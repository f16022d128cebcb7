package console

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// This file holds where a request comes from: the network, and the browser that has
// logged in before.

// address is the network that a request comes from, for limits: an IPv4 address, or an
// IPv6 /64, of which one customer of a provider has all addresses. Behind a proxy it is
// the last one in X-Forwarded-For, which the proxy wrote: what stands before it is the
// visitor's own word, and without a proxy all of it is.
func (k *Console) address(r *http.Request) string {
	if k.BehindProxy {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			if n := networkOf(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); n != "" {
				return n
			}
		}
	}
	if n := networkOf(r.RemoteAddr); n != "" {
		return n
	}
	return r.RemoteAddr
}

// networkOf is the network of an address with or without a port, "" if it is none.
func networkOf(s string) string {
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		with, err := netip.ParseAddrPort(s)
		if err != nil {
			return ""
		}
		ip = with.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// siteOf is the /48 of an IPv6 network, as companies and providers of servers have them;
// "" for others.
func siteOf(network string) string {
	p, err := netip.ParsePrefix(network)
	if err != nil {
		return ""
	}
	return netip.PrefixFrom(p.Addr(), 48).Masked().String()
}

// A browser that has logged in keeps a cookie that says so, one entry an account: when,
// a number, and a MAC over both and the login. It names nobody, logs nobody in, and ends
// when the password changes.
const (
	cookieDevice = "art34-device"
	deviceLife   = 90 * 24 * time.Hour
	deviceMost   = 8 // accounts of a shared machine
	deviceLength = 8 + 8 + 16
)

func (v *visit) deviceMAC(login string, head []byte) []byte {
	sum := v.Accounts.Seal.MAC("art34/device/1", []byte(login), head)
	return sum[:16]
}

// devices are the entries of this browser.
func (v *visit) devices() (list [][]byte) {
	for part := range strings.SplitSeq(v.cookie(cookieDevice), ".") {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err == nil && len(b) == deviceLength && len(list) < deviceMost {
			list = append(list, b)
		}
	}
	return list
}

// mine reports whether an entry is that of a login.
func (v *visit) mine(login string, entry []byte) bool {
	return hmac.Equal(v.deviceMAC(login, entry[:16]), entry[16:])
}

// from is where an attempt at the password or code of a login comes from.
func (v *visit) from(login string) From {
	f := From{Network: v.address(v.r)}
	login = strings.ToLower(strings.TrimSpace(login))
	for _, entry := range v.devices() {
		since := time.UnixMicro(int64(binary.BigEndian.Uint64(entry)))
		if v.mine(login, entry) && v.Real.Now().Sub(since) < deviceLife {
			f.Device, f.Since = hex.EncodeToString(entry[8:16]), since
		}
	}
	return f
}

// rememberDevice notes that this browser has logged in. It keeps its number: a new one
// with every login would be new attempts.
func (v *visit) rememberDevice(login string, at time.Time) {
	entry := make([]byte, 16, deviceLength)
	v.Random(entry[8:])
	list := slices.DeleteFunc(v.devices(), func(b []byte) bool {
		if !v.mine(login, b) {
			return false
		}
		copy(entry[8:], b[8:16])
		return true
	})
	binary.BigEndian.PutUint64(entry, uint64(at.UnixMicro()))
	list = append(list, append(entry, v.deviceMAC(login, entry)...))
	if len(list) > deviceMost {
		list = list[len(list)-deviceMost:]
	}
	var parts []string
	for _, b := range list {
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	v.setCookie(cookieDevice, strings.Join(parts, "."), deviceLife)
}
