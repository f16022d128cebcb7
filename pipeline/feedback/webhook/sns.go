package webhook

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// SNSConfig says what is needed to believe Amazon SNS.
type SNSConfig struct {
	// Topics are the ARNs that may post. Whatever comes from others is refused.
	Topics []string
	// Roots verify the signing certificate; nil means those of the system.
	Roots *x509.CertPool
	// Fetch gets a certificate, or confirms a subscription; nil means Fetch of a plain
	// HTTP client. It is called with addresses of Amazon only.
	Fetch func(ctx context.Context, url string) ([]byte, error)
}

// Types of a message of SNS.
const (
	notification   = "Notification"
	subscription   = "SubscriptionConfirmation"
	unsubscription = "UnsubscribeConfirmation"
)

// snsEnvelope is what SNS posts ("HTTP/HTTPS notification JSON format").
type snsEnvelope struct {
	Type             string `json:"Type"`
	MessageID        string `json:"MessageId"`
	Token            string `json:"Token"`
	TopicArn         string `json:"TopicArn"`
	Subject          string `json:"Subject"`
	Message          string `json:"Message"`
	Timestamp        string `json:"Timestamp"`
	SubscribeURL     string `json:"SubscribeURL"`
	SignatureVersion string `json:"SignatureVersion"`
	Signature        string `json:"Signature"`
	SigningCertURL   string `json:"SigningCertURL"`
}

const (
	// snsWindow is how old a message may be: SNS tries for up to 23 days.
	snsWindow = 24 * 24 * time.Hour
	// snsAhead is how far our clock may be behind Amazon's.
	snsAhead = 15 * time.Minute
	// mostFetched bounds what is fetched.
	mostFetched = 64 << 10
	// mostCertificates bounds those that are remembered: Amazon changes its own once a
	// year.
	mostCertificates = 16
)

var (
	topicARN = regexp.MustCompile(`^arn:aws(?:-cn|-us-gov)?:sns:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?$`)
	certPath = regexp.MustCompile(`^/[A-Za-z0-9_-]{1,200}\.pem$`)
)

// sns verifies what Amazon SNS posts.
type sns struct {
	topics []string
	roots  *x509.CertPool
	fetch  func(ctx context.Context, url string) ([]byte, error)

	mu    sync.Mutex
	certs map[string]*x509.Certificate // by URL
	order []string
}

func newSNS(c SNSConfig) (*sns, error) {
	for _, t := range c.Topics {
		if !topicARN.MatchString(t) {
			return nil, &pipeline.Error{Code: "webhook-topic-invalid", Sentence: "a topic of Amazon SNS has the form arn:aws:sns:REGION:ACCOUNT:NAME", Hint: "copy its ARN from the console of SNS", Permanent: true, Exit: 2}
		}
	}
	if len(c.Topics) == 0 {
		return nil, &pipeline.Error{Code: "webhook-topic-missing", Sentence: "events of Amazon SES need the topic that they come from", Hint: "name the ARN of the SNS topic", Permanent: true, Exit: 2}
	}
	s := &sns{topics: c.Topics, roots: c.Roots, fetch: c.Fetch, certs: map[string]*x509.Certificate{}}
	if s.fetch == nil {
		s.fetch = Fetch(&http.Client{Timeout: 10 * time.Second})
	}
	return s, nil
}

// Fetch returns a function that gets an address over HTTP and follows no redirect.
func Fetch(client *http.Client) func(ctx context.Context, url string) ([]byte, error) {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context, address string) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		resp, err := c.Do(req)
		if err != nil {
			// The address of a confirmation holds a secret token.
			if u, ok := errors.AsType[*url.Error](err); ok {
				err = u.Err
			}
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return nil, errors.New("the answer is " + resp.Status)
		}
		return io.ReadAll(io.LimitReader(resp.Body, mostFetched))
	}
}

// open verifies a message: the topic first, so that a stranger makes us fetch
// nothing.
func (s *sns) open(ctx context.Context, body []byte, now time.Time) (snsEnvelope, error) {
	var e snsEnvelope
	if json.Unmarshal(body, &e) != nil || e.MessageID == "" || len(e.MessageID) > 200 {
		return e, refuse(http.StatusBadRequest, "the body is no message of Amazon SNS")
	}
	switch e.Type {
	case notification, subscription, unsubscription:
	default:
		return e, refuse(http.StatusBadRequest, "the message of Amazon SNS has an unknown type")
	}
	if !slices.Contains(s.topics, e.TopicArn) {
		return e, refuse(http.StatusForbidden, "the topic is not ours")
	}
	at, err := time.Parse(time.RFC3339, e.Timestamp)
	if err != nil || now.Sub(at) > snsWindow || at.Sub(now) > snsAhead {
		return e, refuse(http.StatusForbidden, "the message is too old, or of the future: replayed, or a clock is wrong")
	}
	signature, err := base64.StdEncoding.DecodeString(e.Signature)
	if err != nil || len(signature) == 0 {
		return e, refuse(http.StatusForbidden, "the message is not signed")
	}
	host := snsHost(e.TopicArn)
	if !amazon(e.SigningCertURL, host, certPath) {
		return e, refuse(http.StatusForbidden, "the certificate is not at Amazon's place")
	}
	cert, err := s.certificate(ctx, e.SigningCertURL, e.TopicArn, now)
	if err != nil {
		return e, err
	}
	if !e.signedBy(cert, signature) {
		return e, refuse(http.StatusForbidden, "the signature is not Amazon's")
	}
	return e, nil
}

// canonical is what SNS signs: names and values in the order of names.
func (e *snsEnvelope) canonical() []byte {
	var b bytes.Buffer
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", e.Message)
	add("MessageId", e.MessageID)
	if e.Type == notification {
		if e.Subject != "" {
			add("Subject", e.Subject)
		}
	} else {
		add("SubscribeURL", e.SubscribeURL)
	}
	add("Timestamp", e.Timestamp)
	if e.Type != notification {
		add("Token", e.Token)
	}
	add("TopicArn", e.TopicArn)
	add("Type", e.Type)
	return b.Bytes()
}

// signedBy checks a signature of version 1 (SHA-1) or 2 (SHA-256).
func (e *snsEnvelope) signedBy(cert *x509.Certificate, signature []byte) bool {
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return false
	}
	switch e.SignatureVersion {
	case "1":
		sum := sha1.Sum(e.canonical())
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature) == nil
	case "2":
		sum := sha256.Sum256(e.canonical())
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	}
	return false
}

// snsHost is where a topic's region keeps certificates and confirmations.
func snsHost(arn string) string {
	m := topicARN.FindStringSubmatch(arn)
	if m == nil {
		return ""
	}
	host := "sns." + m[1] + ".amazonaws.com"
	if strings.HasPrefix(arn, "arn:aws-cn:") {
		host += ".cn"
	}
	return host
}

// amazon reports whether an address is https on that very host, with a path that
// matches, and nothing hidden in it.
func amazon(address, host string, path *regexp.Regexp) bool {
	u, err := url.Parse(address)
	if err != nil || host == "" {
		return false
	}
	return u.Scheme == "https" && u.Host == host && u.User == nil && u.Opaque == "" && u.Fragment == "" && (path == nil || u.RawQuery == "" && path.MatchString(u.EscapedPath()))
}

// certificate fetches a signing certificate and verifies it up to a root, or takes
// it from memory while it is valid.
func (s *sns) certificate(ctx context.Context, address, arn string, now time.Time) (*x509.Certificate, error) {
	s.mu.Lock()
	cert := s.certs[address]
	s.mu.Unlock()
	if cert != nil && now.Before(cert.NotAfter) && now.After(cert.NotBefore) {
		return cert, nil
	}
	raw, err := s.fetch(ctx, address)
	if err != nil {
		return nil, &Refusal{http.StatusServiceUnavailable, "the certificate of Amazon SNS cannot be fetched", err}
	}
	chain, err := certificates(raw)
	if err != nil {
		return nil, &Refusal{http.StatusForbidden, "the certificate of Amazon SNS cannot be read", err}
	}
	if err := s.verify(ctx, chain, arn, now); err != nil {
		return nil, &Refusal{http.StatusForbidden, "the certificate of Amazon SNS is not trusted", err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.certs[address]; !ok {
		s.order = append(s.order, address)
	}
	s.certs[address] = chain[0]
	if len(s.order) > mostCertificates {
		delete(s.certs, s.order[0])
		s.order = s.order[1:]
	}
	return chain[0], nil
}

// verify checks that a certificate is for SNS, and its chain. SNS serves the leaf
// alone; the certificates between it and the root are where the leaf says.
func (s *sns) verify(ctx context.Context, chain []*x509.Certificate, arn string, now time.Time) error {
	leaf := chain[0]
	host := snsHost(arn)
	region := strings.TrimPrefix(host, "sns.")
	named := false
	for _, name := range []string{"sns.amazonaws.com", host, "sns-" + region} {
		named = named || leaf.VerifyHostname(name) == nil
	}
	if !named {
		return errors.New("it is for another name")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	options := x509.VerifyOptions{Roots: s.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	last := chain[len(chain)-1]
	for hop := 0; ; hop++ {
		_, err := leaf.Verify(options)
		if err == nil {
			return nil
		}
		var unknown x509.UnknownAuthorityError
		if hop == 3 || !errors.As(err, &unknown) {
			return err
		}
		issuer := s.issuer(ctx, last)
		if issuer == nil {
			return err
		}
		between.AddCert(issuer)
		last = issuer
	}
}

// issuer fetches the certificate that signed another one, from Amazon's own
// authority. It proves nothing: the chain is verified up to the root.
func (s *sns) issuer(ctx context.Context, c *x509.Certificate) *x509.Certificate {
	for _, address := range c.IssuingCertificateURL {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Port() != "" || !strings.HasSuffix(u.Hostname(), ".amazontrust.com") {
			continue
		}
		raw, err := s.fetch(ctx, address)
		if err != nil {
			continue
		}
		if issuer, err := x509.ParseCertificate(raw); err == nil {
			return issuer
		}
		if chain, err := certificates(raw); err == nil {
			return chain[0]
		}
	}
	return nil
}

// certificates reads PEM: the leaf first.
func certificates(raw []byte) (chain []*x509.Certificate, err error) {
	for len(chain) < 5 {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return chain, nil
}

// confirm subscribes: the topic is one of ours and the message is signed.
func (s *sns) confirm(ctx context.Context, e snsEnvelope) error {
	if !amazon(e.SubscribeURL, snsHost(e.TopicArn), nil) {
		return refuse(http.StatusForbidden, "the subscription is not to be confirmed at Amazon's place")
	}
	if _, err := s.fetch(ctx, e.SubscribeURL); err != nil {
		return &Refusal{http.StatusServiceUnavailable, "the subscription could not be confirmed", err}
	}
	return nil
}
