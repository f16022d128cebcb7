package webhook

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

var now = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

const (
	topic    = "arn:aws:sns:eu-west-3:123456789012:art34"
	certURL  = "https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-0123abcd.pem"
	issueURL = "http://crt.test.amazontrust.com/test.cer"
)

// amazonia is a small Amazon: a root, an authority and the certificate of SNS.
type amazonia struct {
	roots   *x509.CertPool
	key     *rsa.PrivateKey
	leaf    []byte // PEM
	middle  []byte // DER
	fetched []string
	mu      sync.Mutex
	fail    bool
}

var (
	onceAmazon sync.Once
	keys       [3]*rsa.PrivateKey
)

func newAmazonia(t testing.TB, name string, until time.Time) *amazonia {
	t.Helper()
	onceAmazon.Do(func() {
		for i := range keys {
			k, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			keys[i] = k
		}
	})
	sign := func(c, parent *x509.Certificate, pub, priv *rsa.PrivateKey) ([]byte, *x509.Certificate) {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &pub.PublicKey, priv)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return der, parsed
	}
	ca := func(n int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	rootTemplate := ca(1, "Root")
	_, root := sign(rootTemplate, rootTemplate, keys[0], keys[0])
	middle, authority := sign(ca(2, "Authority"), root, keys[1], keys[0])
	leaf, _ := sign(&x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: now.Add(-time.Hour), NotAfter: until,
		IssuingCertificateURL: []string{"http://127.0.0.1/never", issueURL},
	}, authority, keys[2], keys[1])
	a := &amazonia{roots: x509.NewCertPool(), key: keys[2], leaf: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf}), middle: middle}
	a.roots.AddCert(root)
	return a
}

func (a *amazonia) fetch(_ context.Context, url string) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fetched = append(a.fetched, url)
	switch {
	case a.fail:
		return nil, errors.New("no answer")
	case url == certURL:
		return a.leaf, nil
	case url == issueURL:
		return a.middle, nil
	case strings.HasPrefix(url, "https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription"):
		return []byte("<ok/>"), nil
	}
	return nil, errors.New("unexpected address " + url)
}

// post signs an envelope and returns its body.
func (a *amazonia) post(t testing.TB, e snsEnvelope) []byte {
	t.Helper()
	if e.SigningCertURL == "" {
		e.SigningCertURL = certURL
	}
	if e.SignatureVersion == "" {
		e.SignatureVersion = "2"
	}
	sum2, sum1 := sha256.Sum256(e.canonical()), sha1.Sum(e.canonical())
	sum, hash := sum2[:], crypto.SHA256
	if e.SignatureVersion == "1" {
		sum, hash = sum1[:], crypto.SHA1
	}
	s, err := rsa.SignPKCS1v15(rand.Reader, a.key, hash, sum)
	if err != nil {
		t.Fatal(err)
	}
	e.Signature = base64.StdEncoding.EncodeToString(s)
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func envelope(message string) snsEnvelope {
	return snsEnvelope{Type: notification, MessageID: "m-1", TopicArn: topic, Subject: "Amazon SES Email Event Notification", Message: message, Timestamp: now.Format("2006-01-02T15:04:05.000Z")}
}

const bounceMessage = `{"eventType":"Bounce","mail":{"source":"token@bounce.example","headers":[{"name":"Message-ID","value":"<1.1@example.com>"}]},"bounce":{"bounceType":"Permanent","bounceSubType":"General","timestamp":"2026-11-25T08:59:00.000Z","bouncedRecipients":[{"emailAddress":"a@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}`

// kept records what a handler keeps.
type kept struct {
	ids []string
	err error
}

func (k *kept) keep(_ context.Context, source pipeline.InboundSource, id string, raw []byte) error {
	if k.err != nil {
		return k.err
	}
	k.ids = append(k.ids, string(source)+" "+id)
	return nil
}

func send(a Adapter, k *kept, body []byte, at time.Time) int {
	h := &Handler{Adapter: a, Keep: k.keep, Clock: clock.NewManual(at)}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
	return w.Code
}

func newTestSES(t testing.TB, a *amazonia) *SES {
	t.Helper()
	s, err := NewSES(SNSConfig{Topics: []string{topic}, Roots: a.roots, Fetch: a.fetch})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSNS(t *testing.T) {
	t.Parallel()
	good := newAmazonia(t, "sns.amazonaws.com", now.Add(100*time.Hour))
	changed := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	with := func(f func(*snsEnvelope)) snsEnvelope {
		e := envelope(bounceMessage)
		f(&e)
		return e
	}
	for name, tt := range map[string]struct {
		e      snsEnvelope
		change func([]byte) []byte
		roots  *x509.CertPool
		at     time.Time
		want   int
		kept   int
	}{
		"SHA-256":               {e: envelope(bounceMessage), want: 200, kept: 1},
		"SHA-1":                 {e: with(func(e *snsEnvelope) { e.SignatureVersion = "1" }), want: 200, kept: 1},
		"no subject":            {e: with(func(e *snsEnvelope) { e.Subject = "" }), want: 200, kept: 1},
		"an event of no use":    {e: envelope(`{"eventType":"Open","mail":{}}`), want: 200},
		"a greeting":            {e: envelope("Successfully validated SNS topic for Amazon SES event publishing."), want: 200},
		"a changed message":     {e: envelope(bounceMessage), change: changed("5.1.1", "5.2.2"), want: 403},
		"a changed id":          {e: envelope(bounceMessage), change: changed(`"m-1"`, `"m-2"`), want: 403},
		"an unknown version":    {e: envelope(bounceMessage), change: changed(`"SignatureVersion":"2"`, `"SignatureVersion":"3"`), want: 403},
		"no signature":          {e: envelope(bounceMessage), change: changed(`"Signature":"`, `"Sgn":"`), want: 403},
		"another topic":         {e: with(func(e *snsEnvelope) { e.TopicArn = "arn:aws:sns:eu-west-3:123456789012:other" }), want: 403},
		"certificate elsewhere": {e: with(func(e *snsEnvelope) { e.SigningCertURL = "https://sns.eu-west-3.amazonaws.com.example/a.pem" }), want: 403},
		"another region":        {e: with(func(e *snsEnvelope) { e.SigningCertURL = "https://sns.eu-west-1.amazonaws.com/a.pem" }), want: 403},
		"plain HTTP":            {e: with(func(e *snsEnvelope) { e.SigningCertURL = strings.Replace(certURL, "https", "http", 1) }), want: 403},
		"a user in the address": {e: with(func(e *snsEnvelope) { e.SigningCertURL = strings.Replace(certURL, "https://", "https://x@", 1) }), want: 403},
		"a path of one's own":   {e: with(func(e *snsEnvelope) { e.SigningCertURL = "https://sns.eu-west-3.amazonaws.com/topic/../a.pem" }), want: 403},
		"a query":               {e: with(func(e *snsEnvelope) { e.SigningCertURL = certURL + "?x=.pem" }), want: 403},
		"no root at all":        {e: envelope(bounceMessage), roots: x509.NewCertPool(), want: 403},
		"a month later":         {e: envelope(bounceMessage), at: now.Add(31 * 24 * time.Hour), want: 403},
		"an hour before":        {e: envelope(bounceMessage), at: now.Add(-time.Hour), want: 403},
		"an expired certificate": {e: with(func(e *snsEnvelope) { e.Timestamp = now.Add(100 * time.Hour).Format(time.RFC3339) }),
			at: now.Add(101 * time.Hour), want: 403},
		"no event of SES": {e: envelope(`{"eventType":"Bounce","bounce":[]}`), want: 200},
		"not JSON":        {e: envelope(""), change: func([]byte) []byte { return []byte("Type=Notification") }, want: 400},
		"no type":         {e: envelope(""), change: changed(`"Notification"`, `"Note"`), want: 400},
	} {
		if tt.at.IsZero() {
			tt.at = now
		}
		a := &amazonia{roots: good.roots, key: good.key, leaf: good.leaf, middle: good.middle}
		if tt.roots != nil {
			a.roots = tt.roots
		}
		body := a.post(t, tt.e)
		if tt.change != nil {
			body = tt.change(body)
		}
		k := &kept{}
		if got := send(newTestSES(t, a), k, body, tt.at); got != tt.want || len(k.ids) != tt.kept {
			t.Errorf("%s: %d and kept %v, want %d and %d", name, got, k.ids, tt.want, tt.kept)
		}
		for _, u := range a.fetched {
			if u != certURL && u != issueURL {
				t.Errorf("%s: fetched %s", name, u)
			}
		}
	}
}

func TestSNSCertificate(t *testing.T) {
	t.Parallel()
	a := newAmazonia(t, "sns.amazonaws.com", now.Add(100*time.Hour))
	s, k := newTestSES(t, a), &kept{}
	a.fail = true
	if got := send(s, k, a.post(t, envelope(bounceMessage)), now); got != 503 {
		t.Errorf("with Amazon away: %d", got)
	}
	a.fail, a.fetched = false, nil
	for range 3 {
		if got := send(s, k, a.post(t, envelope(bounceMessage)), now); got != 200 {
			t.Errorf("with Amazon back: %d", got)
		}
	}
	if len(a.fetched) != 2 {
		t.Errorf("fetched %v: once each is enough", a.fetched)
	}
	other := newAmazonia(t, "www.example.com", now.Add(100*time.Hour))
	if got := send(newTestSES(t, other), k, other.post(t, envelope(bounceMessage)), now); got != 403 {
		t.Errorf("with a certificate for another name: %d", got)
	}
}

func TestSNSSubscription(t *testing.T) {
	t.Parallel()
	a := newAmazonia(t, "sns.amazonaws.com", now.Add(100*time.Hour))
	for address, want := range map[string]int{
		"https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=t": 200,
		"https://sns.eu-west-3.amazonaws.com.example/?Action=ConfirmSubscription":                        403,
		"http://169.254.169.254/latest": 403,
	} {
		e := envelope("You have chosen to subscribe")
		e.Type, e.Token, e.SubscribeURL = subscription, "t", address
		a.fetched = nil
		k := &kept{}
		if got := send(newTestSES(t, a), k, a.post(t, e), now); got != want || len(k.ids) != 0 {
			t.Errorf("%s: %d, kept %v", address, got, k.ids)
		}
		if visited := len(a.fetched) > 0 && a.fetched[len(a.fetched)-1] == address; visited != (want == 200) {
			t.Errorf("%s: fetched %v", address, a.fetched)
		}
		e.TopicArn = "arn:aws:sns:eu-west-3:999999999999:evil"
		a.fetched = nil
		if got := send(newTestSES(t, a), k, a.post(t, e), now); got != 403 || len(a.fetched) != 0 {
			t.Errorf("a topic that is not ours: %d, fetched %v", got, a.fetched)
		}
	}
}

// TestSNSEnded: the operator hears that nothing comes any more, and that something
// was refused, without a word of what it says.
func TestSNSEnded(t *testing.T) {
	t.Parallel()
	a := newAmazonia(t, "sns.amazonaws.com", now.Add(100*time.Hour))
	e := envelope("You have chosen to deactivate subscription")
	e.Type, e.Token, e.SubscribeURL = unsubscription, "secret-token", "https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription"
	var out bytes.Buffer
	h := &Handler{Adapter: newTestSES(t, a), Clock: clock.NewManual(now), Log: slog.New(slog.NewTextHandler(&out, nil))}
	good := a.post(t, e)
	for _, body := range [][]byte{good, bytes.Replace(good, []byte("deactivate"), []byte("activate"), 1)} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
	}
	if log := out.String(); !strings.Contains(log, "ended the subscription") || !strings.Contains(log, "signature is not Amazon's") || strings.Contains(log, "secret-token") || strings.Contains(log, "chosen") {
		t.Errorf("logged %s", log)
	}
	if len(a.fetched) > 2 {
		t.Errorf("fetched %v: an end is not undone", a.fetched)
	}
}

func TestSESEvents(t *testing.T) {
	t.Parallel()
	mail := `"mail":{"source":"token@bounce.example","destination":["a@example.com"],"commonHeaders":{"messageId":"<1.1@example.com>"}}`
	for name, tt := range map[string]struct{ message, want string }{
		"bounce":       {bounceMessage, "failed  5.1.1 a@example.com token@bounce.example <1.1@example.com>"},
		"suppressed":   {`{"notificationType":"Bounce",` + mail + `,"bounce":{"bounceType":"Permanent","bounceSubType":"Suppressed","bouncedRecipients":[{"emailAddress":"a@example.com","action":"failed","status":"5.1.1","diagnosticCode":"Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address."}]}}`, "failed ours suppressed 5.1.1 a@example.com token@bounce.example <1.1@example.com>"},
		"unsubscribed": {`{"notificationType":"Bounce",` + mail + `,"bounce":{"bounceType":"Permanent","bounceSubType":"UnsubscribedRecipient","bouncedRecipients":[{"emailAddress":"a@example.com"}]}}`, "failed ours suppressed  a@example.com token@bounce.example <1.1@example.com>"},
		"an absence":   {`{"notificationType":"Bounce",` + mail + `,"bounce":{"bounceType":"Transient","bounceSubType":"General","bouncedRecipients":[{"emailAddress":"a@example.com"}]}}`, "uncertain   a@example.com token@bounce.example <1.1@example.com>"},
		"full":         {`{"notificationType":"Bounce",` + mail + `,"bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":[{"emailAddress":"a@example.com"}]}}`, "failed mailbox-full  a@example.com token@bounce.example <1.1@example.com>"},
		"complaint":    {`{"notificationType":"Complaint",` + mail + `,"complaint":{"complainedRecipients":[{"emailAddress":"a@example.com"}]}}`, "complained   a@example.com token@bounce.example <1.1@example.com>"},
		"held back for an old complaint": {`{"notificationType":"Complaint",` + mail + `,"complaint":{"complaintSubType":"OnAccountSuppressionList","complainedRecipients":[{"emailAddress":"a@example.com"}]}}`,
			"failed ours suppressed  a@example.com token@bounce.example <1.1@example.com>"},
		"delivery":           {`{"notificationType":"Delivery",` + mail + `,"delivery":{"recipients":["a@example.com"]}}`, "taken   a@example.com token@bounce.example <1.1@example.com>"},
		"delay":              {`{"eventType":"DeliveryDelay",` + mail + `,"deliveryDelay":{"delayedRecipients":[{"emailAddress":"a@example.com","status":"4.4.1"}]}}`, "delayed  4.4.1 a@example.com token@bounce.example <1.1@example.com>"},
		"reject":             {`{"eventType":"Reject",` + mail + `,"reject":{"reason":"Bad content"}}`, "failed ours content  a@example.com token@bounce.example <1.1@example.com>"},
		"send":               {`{"eventType":"Send",` + mail + `}`, ""},
		"a bounce of nobody": {`{"eventType":"Bounce",` + mail + `}`, "uncertain    token@bounce.example <1.1@example.com>"},
	} {
		body, err := json.Marshal(envelope(tt.message))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{body, []byte(tt.message)} {
			events, err := (*SES)(nil).Events(b)
			got := ""
			for _, e := range events {
				got += strings.Join(strings.Split(strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s %s", e.Kind, e.Outcome, e.Reason, e.Status, e.Recipient, e.ReturnPath, e.MessageID)), " "), " ")
			}
			if squeeze(got) != squeeze(tt.want) || err != nil {
				t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
			}
		}
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

var mailgunKey = []byte("key-of-mailgun")

func mailgunPost(t testing.TB, key []byte, at time.Time, token, event string) []byte {
	t.Helper()
	stamp := fmt.Sprint(at.Unix())
	h := hmac.New(sha256.New, key)
	h.Write([]byte(stamp + token))
	b, err := json.Marshal(map[string]any{
		"signature":  map[string]string{"timestamp": stamp, "token": token, "signature": hex.EncodeToString(h.Sum(nil))},
		"event-data": json.RawMessage(event),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const mailgunFailed = `{"id":"e1","event":"failed","timestamp":1764061200.25,"severity":"permanent","reason":"bounce","recipient":"a@example.com","envelope":{"sender":"token@bounce.example"},"message":{"headers":{"message-id":"1.1@example.com"}},"delivery-status":{"code":550,"enhanced-code":"5.1.1","message":"5.1.1 no such user","description":""}}`

func TestMailgun(t *testing.T) {
	t.Parallel()
	m, err := NewMailgun(MailgunConfig{Keys: [][]byte{[]byte("the next key"), mailgunKey}})
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	body := mailgunPost(t, mailgunKey, now, "token-1", mailgunFailed)
	k.err = errors.New("the disk is full")
	if got := send(m, k, body, now); got != 503 {
		t.Errorf("while nothing can be kept: %d", got)
	}
	k.err = nil
	for name, tt := range map[string]struct {
		body []byte
		at   time.Time
		want int
	}{
		"another key":                         {mailgunPost(t, []byte("guess"), now, "t2", mailgunFailed), now, 403},
		"too old":                             {mailgunPost(t, mailgunKey, now, "t3", mailgunFailed), now.Add(13 * time.Hour), 403},
		"of the future":                       {mailgunPost(t, mailgunKey, now, "t4", mailgunFailed), now.Add(-time.Hour), 403},
		"nothing":                             {nil, now, 400},
		"no event":                            {mailgunPost(t, mailgunKey, now, "t5", `null`), now, 400},
		"an event without a name":             {mailgunPost(t, mailgunKey, now, "t6", `{}`), now, 400},
		"a signature that is no number":       {[]byte(strings.Replace(string(body), `"signature":"`, `"signature":"zz`, 1)), now, 403},
		"too large":                           {bytes.Repeat([]byte(" "), MaxBody+1), now, 413},
		"an event of no use":                  {mailgunPost(t, mailgunKey, now, "t7", `{"id":"x","event":"opened"}`), now, 200},
		"the next key":                        {mailgunPost(t, []byte("the next key"), now, "t8", strings.Replace(mailgunFailed, "e1", "e8", 1)), now, 200},
		"the retry at the end of eight hours": {mailgunPost(t, mailgunKey, now, "t9", strings.Replace(mailgunFailed, "e1", "e9", 1)), now.Add(9 * time.Hour), 200},
	} {
		before := len(k.ids)
		got := send(m, k, tt.body, tt.at)
		if got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
		if got != 200 && len(k.ids) != before {
			t.Errorf("%s: kept", name)
		}
	}
	k.ids = nil
	for range 3 {
		if got := send(m, k, body, now); got != 200 {
			t.Errorf("again: %d", got)
		}
	}
	if len(k.ids) != 1 || k.ids[0] != "mailgun e1@1764061200.250" {
		t.Errorf("kept %v", k.ids)
	}
	// The signature does not cover the event: with a token that was used it is worth
	// nothing.
	forged := []byte(strings.Replace(string(body), "550", "250", 1))
	if got := send(m, k, forged, now); got != 403 {
		t.Errorf("a used token with another event: %d", got)
	}
}

// TestMailgunAfterRestart: a token that was used is worth nothing in another process,
// nor after more events than memory holds.
func TestMailgunAfterRestart(t *testing.T) {
	t.Parallel()
	spent := map[[32]byte][32]byte{}
	var away error
	config := MailgunConfig{Keys: [][]byte{mailgunKey}, Spend: func(_ context.Context, token, body [32]byte, at time.Time) ([32]byte, error) {
		if _, ok := spent[token]; !ok && away == nil {
			spent[token] = body
		}
		return spent[token], away
	}}
	k := &kept{}
	body := mailgunPost(t, mailgunKey, now, "token-1", mailgunFailed)
	forged := []byte(strings.Replace(string(body), "e1", "e2", 1))
	for range 3 {
		m, err := NewMailgun(config)
		if err != nil {
			t.Fatal(err)
		}
		if len(spent) > 0 {
			if got := send(m, k, forged, now); got != 403 {
				t.Errorf("a used token with another event: %d", got)
			}
		}
		away = errors.New("away")
		if got := send(m, k, body, now); got != 503 {
			t.Errorf("while nothing can be looked up: %d", got)
		}
		away = nil
		if got := send(m, k, body, now); got != 200 {
			t.Errorf("the same event: %d", got)
		}
	}
	for _, id := range k.ids {
		if id != "mailgun e1@1764061200.250" {
			t.Errorf("kept %v", k.ids)
		}
	}
}

func TestMailgunEvents(t *testing.T) {
	t.Parallel()
	failed := func(severity, reason, status string) string {
		return `{"id":"e","event":"failed","severity":"` + severity + `","reason":"` + reason + `","recipient":"a@example.com","delivery-status":{` + status + `}}`
	}
	for event, want := range map[string]string{
		mailgunFailed: "failed 5.1.1 550 a@example.com token@bounce.example <1.1@example.com> 5.1.1 no such user",
		failed("permanent", "suppress-bounce", `"code":605,"message":"","description":"Not delivering to previously bounced address"`): "failed ours suppressed 0 a@example.com Not delivering to previously bounced address",
		failed("permanent", "suppress-unsubscribe", `"code":606`):                                                                      "failed ours suppressed 0 a@example.com",
		failed("permanent", "generic", `"code":"607"`):                                                                                 "failed ours suppressed 0 a@example.com",
		failed("temporary", "generic", `"code":452,"message":"4.2.2 full"`):                                                            "delayed 452 a@example.com 4.2.2 full",
		failed("permanent", "old", `"code":602,"message":"Retry time exceeded"`):                                                       "failed expired 0 a@example.com Retry time exceeded",
		`{"id":"e","event":"rejected","recipient":"a@example.com","reject":{"reason":"Sandbox subdomains"}}`:                           "failed ours policy 0 a@example.com Sandbox subdomains",
		`{"id":"e","event":"delivered","recipient":"a@example.com","delivery-status":{"code":250}}`:                                    "taken 0 a@example.com",
		`{"id":"e","event":"complained","recipient":"a@example.com"}`:                                                                  "complained 0 a@example.com",
		`{"id":"e","event":"unsubscribed","recipient":"a@example.com"}`:                                                                "unsubscribed 0 a@example.com",
		`{"id":"e","event":"clicked","recipient":"a@example.com"}`:                                                                     "",
	} {
		events, err := (*Mailgun)(nil).Events(mailgunPost(t, mailgunKey, now, "t", event))
		got := ""
		for _, e := range events {
			got += fmt.Sprintf("%s %s %s %s %d %s %s %s %s", e.Kind, e.Outcome, e.Reason, e.Status, e.Reply, e.Recipient, e.ReturnPath, e.MessageID, e.Text)
		}
		if squeeze(got) != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", event, squeeze(got), err, want)
		}
	}
}

func TestMethod(t *testing.T) {
	t.Parallel()
	m, err := NewMailgun(MailgunConfig{Keys: [][]byte{mailgunKey}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	(&Handler{Adapter: m, Clock: clock.NewManual(now)}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"no topic":    second(NewSES(SNSConfig{})),
		"no ARN":      second(NewSES(SNSConfig{Topics: []string{"art34"}})),
		"no key":      second(NewMailgun(MailgunConfig{})),
		"empty key":   second(NewMailgun(MailgunConfig{Keys: [][]byte{{}}})),
		"half an ARN": second(NewSES(SNSConfig{Topics: []string{topic, "arn:aws:sns:eu-west-3:1:x"}})),
	} {
		if pipeline.ErrorCode(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// FuzzEvents checks what must hold of any body.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(bounceMessage))
	body, err := json.Marshal(envelope(bounceMessage))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(mailgunPost(f, mailgunKey, now, "t", mailgunFailed))
	f.Add(mailgunPost(f, mailgunKey, now, "t", `{"id":"e","event":"failed","severity":"permanent","reason":"suppress-bounce","delivery-status":{"code":"605"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, a := range []Adapter{(*SES)(nil), (*Mailgun)(nil)} {
			events, err := a.Events(body)
			if err != nil && len(events) > 0 || len(events) > mostRecipients {
				t.Fatalf("%v with %d events", err, len(events))
			}
			for _, e := range events {
				if e.Kind == "" || e.Outcome != "" && (e.Outcome != pipeline.Ours || e.Kind != Failed) || e.Reply != 0 && e.Reply/100 != 4 && e.Reply/100 != 5 {
					t.Fatalf("%+v", e)
				}
			}
		}
	})
}

// FuzzAccept checks that nothing unsigned is accepted.
func FuzzAccept(f *testing.F) {
	a := newAmazonia(f, "sns.amazonaws.com", now.Add(100*time.Hour))
	signed := a.post(f, envelope(bounceMessage))
	posted := mailgunPost(f, mailgunKey, now, "t", mailgunFailed)
	f.Add(signed)
	f.Add(posted)
	f.Add([]byte(`{"Type":"Notification","MessageId":"m","TopicArn":"` + topic + `","Timestamp":"2026-11-25T09:00:00Z","Signature":"AAAA","SignatureVersion":"1","SigningCertURL":"` + certURL + `"}`))
	s := newTestSES(f, a)
	var good snsEnvelope
	if err := json.Unmarshal(signed, &good); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := s.Accept(t.Context(), Request{Body: body}, now); err == nil {
			var got snsEnvelope
			if json.Unmarshal(body, &got) != nil || !bytes.Equal(got.canonical(), good.canonical()) {
				t.Fatalf("accepted %q", body)
			}
		} else if _, ok := errors.AsType[*Refusal](err); !ok {
			t.Fatal(err)
		}
		m, err := NewMailgun(MailgunConfig{Keys: [][]byte{mailgunKey}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Accept(t.Context(), Request{Body: body}, now); err == nil {
			var b mailgunBody
			if json.Unmarshal(body, &b) != nil || b.Signature.Token != "t" {
				t.Fatalf("accepted %q", body)
			}
		}
	})
}
