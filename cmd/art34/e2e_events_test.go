package main

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

func containsLine(text string, parts ...string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			return true
		}
	}
	return false
}

const (
	ourTopic = "arn:aws:sns:eu-west-3:123456789012:bounces"
	snsHost  = "sns.eu-west-3.amazonaws.com"
)

// amazon stands for Amazon's servers, to which the program comes through a proxy
// of the environment, and signs as they do.
type amazon struct {
	t    *testing.T
	addr string
	key  *rsa.PrivateKey

	mu      sync.Mutex
	fetched []string
}

func newAmazon(t *testing.T, authority *testenv.Authority) *amazon {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := &amazon{t: t, key: key}
	signing := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Sign(t, key.Public(), "sns.amazonaws.com")})
	pair, _, _ := authority.Issue(t, snsHost)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	a.addr = l.Addr().String()
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.fetched = append(a.fetched, r.Host+r.URL.String())
		if r.Host == snsHost && strings.HasSuffix(r.URL.Path, ".pem") {
			_, _ = w.Write(signing)
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go a.tunnel(c, &tls.Config{Certificates: []tls.Certificate{pair}}, inside)
		}
	}()
	return a
}

// tunnel answers one CONNECT, and the requests inside it.
func (a *amazon) tunnel(c net.Conn, config *tls.Config, inside http.Handler) {
	defer func() { _ = c.Close() }()
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil || r.Method != http.MethodConnect || r.Host != snsHost+":443" {
		a.t.Errorf("the proxy was asked for %v", r)
		return
	}
	if _, err := fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	one := &once{conn: tls.Server(c, config), closed: make(chan struct{})}
	_ = http.Serve(one, inside)
}

// once is a listener with one connection.
type once struct {
	conn   net.Conn
	mu     sync.Mutex
	given  bool
	closed chan struct{}
}

func (o *once) Accept() (net.Conn, error) {
	o.mu.Lock()
	given := o.given
	o.given = true
	o.mu.Unlock()
	if !given {
		return onceConn{o.conn, o}, nil
	}
	<-o.closed
	return nil, net.ErrClosed
}
func (o *once) Close() error   { return nil }
func (o *once) Addr() net.Addr { return o.conn.LocalAddr() }

type onceConn struct {
	net.Conn
	o *once
}

func (c onceConn) Close() error {
	c.o.mu.Lock()
	defer c.o.mu.Unlock()
	select {
	case <-c.o.closed:
	default:
		close(c.o.closed)
	}
	return c.Conn.Close()
}

// sign makes a message of SNS (signature version 2).
func (a *amazon) sign(m map[string]string) []byte {
	a.t.Helper()
	var b strings.Builder
	for _, name := range []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if v, ok := m[name]; ok {
			b.WriteString(name + "\n" + v + "\n")
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		a.t.Fatal(err)
	}
	m["SignatureVersion"], m["Signature"], m["SigningCertURL"] = "2", base64.StdEncoding.EncodeToString(signature), "https://"+snsHost+"/SimpleNotificationService-0123.pem"
	raw, err := json.Marshal(m)
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

// event is a notification of SNS about an e-mail.
func (a *amazon) event(id string, m posted, at time.Time, topic, bounce string) []byte {
	message := fmt.Sprintf(`{"notificationType":"Bounce","mail":{"source":%q},"bounce":{%s,"bouncedRecipients":[{"emailAddress":%q,"action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}`, m.returnPath, bounce, m.to)
	return a.sign(map[string]string{"Type": "Notification", "MessageId": id, "TopicArn": topic, "Message": message, "Timestamp": at.UTC().Format(time.RFC3339)})
}

// mailgunEventOf is what Mailgun posts about an e-mail, signed.
func mailgunEventOf(key, token string, at time.Time, id, event string, m posted, rest string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%d%s", at.Unix(), token)
	return fmt.Appendf(nil, `{"signature":{"timestamp":"%d","token":%q,"signature":%q},"event-data":{"id":%q,"event":%q,"timestamp":%d.5,"recipient":%q,"envelope":{"sender":%q}%s}}`,
		at.Unix(), token, hex.EncodeToString(mac.Sum(nil)), id, event, at.Unix(), m.to, m.returnPath, rest)
}

// TestFeedbackByEvents: what Amazon SES and Mailgun post to the built program over
// TLS. Signed events take their way and outlive a kill -9 that follows the answer;
// what is forged, changed, replayed, too old, too large or of a stranger's topic is
// refused and changes nothing.
func TestFeedbackByEvents(t *testing.T) {
	t.Parallel()
	authority := testenv.NewAuthority(t)
	sns := newAmazon(t, authority)
	_, cert, key := authority.Issue(t, "127.0.0.1")
	address, keyFile := testenv.FreeAddress(t), t.TempDir()+"/mailgun"
	if err := os.WriteFile(keyFile, []byte("key-now\nkey-before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, mails := mailed(t, 80, 12, "SSL_CERT_FILE="+authority.File, "HTTPS_PROXY=http://"+sns.addr,
		"ART34_FEEDBACK_HTTP="+address, "ART34_FEEDBACK_CERT="+cert, "ART34_FEEDBACK_KEY="+key,
		"ART34_FEEDBACK_SES_TOPIC="+ourTopic, "ART34_FEEDBACK_MAILGUN_KEY_FILE="+keyFile)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Roots}}, Timeout: 30 * time.Second}
	post := func(path string, body []byte) int {
		r, err := client.Post("https://"+address+path, "text/plain", bytes.NewReader(body))
		if err != nil {
			return 0
		}
		_ = r.Body.Close()
		return r.StatusCode
	}
	want := func(what, path string, body []byte, code int) {
		t.Helper()
		if got := post(path, body); got != code {
			t.Errorf("%s: %d, want %d", what, got, code)
		}
	}
	run := in.start("run", "--roles", "feedback")
	until(t, "events are taken", longest, func() bool { return post("/", nil) == http.StatusNotFound })

	now := time.Now()
	subscription := sns.sign(map[string]string{"Type": "SubscriptionConfirmation", "MessageId": "m0", "TopicArn": ourTopic, "Message": "confirm", "Token": "tok", "Timestamp": now.UTC().Format(time.RFC3339), "SubscribeURL": "https://" + snsHost + "/?Action=ConfirmSubscription&Token=tok"})
	want("subscription", "/ses", subscription, 200)
	permanent := `"bounceType":"Permanent","bounceSubType":"General"`
	first := sns.event("m1", mails[0], now, ourTopic, permanent)
	want("bounce", "/ses", first, 200)
	want("again", "/ses", first, 200)
	want("suppressed", "/ses", sns.event("m2", mails[1], now, ourTopic, `"bounceType":"Permanent","bounceSubType":"OnAccountSuppressionList"`), 200)
	want("forged token", "/ses", sns.event("m3", posted{mails[2].notice, mails[2].returnPath[:30] + "0000" + mails[2].returnPath[34:], mails[2].to}, now, ourTopic, permanent), 200)
	want("changed", "/ses", bytes.Replace(first, []byte(mails[0].to), []byte(mails[2].to), 1), 403)
	want("changed notice", "/ses", bytes.Replace(first, []byte(mails[0].returnPath), []byte(mails[2].returnPath), 1), 403)
	want("too old", "/ses", sns.event("m4", mails[2], now.Add(-30*24*time.Hour), ourTopic, permanent), 403)
	want("of the future", "/ses", sns.event("m5", mails[2], now.Add(time.Hour), ourTopic, permanent), 403)
	want("another topic", "/ses", sns.event("m6", mails[2], now, "arn:aws:sns:eu-west-3:999999999999:bounces", permanent), 403)
	want("no signature", "/ses", []byte(`{"Type":"Notification","MessageId":"m7","TopicArn":"`+ourTopic+`","Message":"{}","Timestamp":"`+now.UTC().Format(time.RFC3339)+`"}`), 403)
	want("no event", "/ses", []byte("<html>"), 400)
	want("too large", "/ses", bytes.Repeat([]byte(" "), 2<<20), 413)

	dead := `,"severity":"permanent","delivery-status":{"code":550,"message":"5.1.1 user unknown"}`
	gun := mailgunEventOf("key-now", "t1", now, "e1", "failed", mails[3], dead)
	want("mailgun", "/mailgun", gun, 200)
	want("mailgun again", "/mailgun", gun, 200)
	want("the key before", "/mailgun", mailgunEventOf("key-before", "t2", now, "e2", "complained", mails[4], ""), 200)
	want("suppressed by mailgun", "/mailgun", mailgunEventOf("key-now", "t3", now, "e3", "failed", mails[5], `,"severity":"permanent","reason":"suppress-bounce","delivery-status":{"code":605}`), 200)
	want("another key", "/mailgun", mailgunEventOf("key-other", "t4", now, "e4", "failed", mails[6], dead), 403)
	want("a token for another event", "/mailgun", mailgunEventOf("key-now", "t1", now, "e5", "failed", mails[6], dead), 403)
	want("an old token", "/mailgun", mailgunEventOf("key-now", "t6", now.Add(-24*time.Hour), "e6", "failed", mails[6], dead), 403)
	run.kill() // what was answered with 200 is safe
	if r, err := http.Get("http://" + address + "/ses"); err == nil {
		_ = r.Body.Close()
		t.Error("the address is open without the program")
	}

	run = in.start("run", "--roles", "feedback")
	until(t, "all is judged", longest, func() bool {
		got := in.judged()
		return got[pipeline.InboundQuarantined] == 1 && got[pipeline.InboundPending] == 0 && got[pipeline.InboundApplied]+got[pipeline.InboundRecorded] == 5
	})
	// All may have been judged before the kill: then nothing above waited for the start.
	until(t, "events are taken again", longest, func() bool { return post("/", nil) == http.StatusNotFound })
	// Posted once more after the restart: known by its id.
	want("again after the restart", "/ses", first, 200)
	want("again after the restart", "/mailgun", gun, 200)
	want("a token for another event, after the restart", "/mailgun", mailgunEventOf("key-now", "t1", now, "e7", "failed", mails[6], dead), 403)
	if got := in.judged(); got[pipeline.InboundQuarantined]+got[pipeline.InboundApplied]+got[pipeline.InboundRecorded]+got[pipeline.InboundPending] != 6 {
		t.Errorf("an event was kept twice: %v", got)
	}
	now2 := in.ways()
	for i, what := range map[int]string{0: "dead", 1: "ours", 2: "", 3: "dead", 4: "", 5: "ours", 6: ""} {
		n := now2[mails[i].notice]
		got := ""
		switch {
		case n.Channel != pipeline.Email && !n.Reach.Has(pipeline.ByEmail):
			got = "dead"
		case n.Reason == pipeline.ReasonOurs:
			got = "ours"
		case n.State != pipeline.Accepted:
			got = string(n.State)
		}
		if got != what {
			t.Errorf("e-mail %d: %q, want %q (%s by %s, %s)", i, got, what, n.State, n.Channel, n.Reason)
		}
	}
	// A kill may have come between an event and its count: then it is counted again.
	if w := in.status(true).Warnings; len(w) != 1 || w[0].Code != "withheld" || w[0].Failed < 2 || w[0].Failed > 3 {
		t.Errorf("no alarm about what the providers withheld: %+v", w)
	}
	sns.mu.Lock()
	defer sns.mu.Unlock()
	if got := strings.Join(sns.fetched, " "); !strings.Contains(got, "/?Action=ConfirmSubscription&Token=tok") || strings.Count(got, ".pem") != 2 {
		t.Errorf("fetched %q: the certificate once a start, and the confirmation", got)
	}
}

// TestEventsRefused: an address that would let addresses cross the network in
// clear, or a provider without an address, is refused at the start.
func TestEventsRefused(t *testing.T) {
	t.Parallel()
	in := install(t, 5, 1, "ART34_CONSOLE=off")
	for _, c := range []struct {
		env  []string
		want string
	}{
		{[]string{"ART34_FEEDBACK_HTTP=0.0.0.0:0", "ART34_FEEDBACK_SES_TOPIC=" + ourTopic}, "cross the network in clear"},
		{[]string{"ART34_FEEDBACK_HTTP=127.0.0.1:0"}, "no provider"},
		{[]string{"ART34_FEEDBACK_SES_TOPIC=" + ourTopic}, "no address"},
		{[]string{"ART34_FEEDBACK_MAILGUN_KEY=x"}, "no address"},
		{[]string{"ART34_FEEDBACK_HTTP=127.0.0.1:0", "ART34_FEEDBACK_SES_TOPIC=bounces"}, "arn:aws:sns"},
		{[]string{"ART34_FEEDBACK_HTTP=nowhere", "ART34_FEEDBACK_SES_TOPIC=" + ourTopic}, "host:port"},
		{[]string{"ART34_FEEDBACK_IMAP=imap://a@mail.example.com?tls=none", "ART34_FEEDBACK_IMAP_PASSWORD=x"}, "in clear"},
		{[]string{"ART34_FEEDBACK_IMAP=imaps://a:hush@mail.example.com"}, "holds a password"},
		{[]string{"ART34_FEEDBACK_IMAP=imaps://a@mail.example.com"}, "no password"},
		{[]string{"ART34_FEEDBACK_IMAP=imaps://a@mail.example.com", "ART34_FEEDBACK_IMAP_PASSWORD_FILE=/nowhere/secret"}, "cannot be read"},
	} {
		cmd := in.command("run", "--roles", "feedback")
		cmd.Env = append(cmd.Env, c.env...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), c.want) || strings.Contains(string(out), "hush") {
			t.Errorf("%v: exit %d, %s", c.env, cmd.ProcessState.ExitCode(), out)
		}
	}
}
