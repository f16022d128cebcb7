package main

import (
	"context"
	"net"
	"strings"

	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/console/openid"
)

// companyOptions say who vouches for the people of the company.
type companyOptions struct {
	OIDCIssuer           string            `name:"oidc-issuer" help:"Identity provider whose accounts may log in: https://… as it writes itself (OpenID Connect)." placeholder:"URL" group:"every"`
	OIDCClient           string            `name:"oidc-client" help:"Client id of this console there." placeholder:"ID" group:"every"`
	OIDCClientSecretFile string            `name:"oidc-client-secret-file" help:"File that holds the secret of the client; or $$ART34_OIDC_CLIENT_SECRET. Without one: PKCE alone." placeholder:"FILE" type:"path" group:"every"`
	OIDCRedirect         string            `name:"oidc-redirect" help:"Address that it sends people back to (default: https://, the first --console-host, /login/company/back)." placeholder:"URL" group:"every"`
	OIDCName             string            `name:"oidc-name" help:"What people call that login; it stands on the button." default:"SSO" placeholder:"NAME" group:"every"`
	OIDCScopes           []string          `name:"oidc-scopes" help:"Scopes to ask for beside openid." default:"profile,email" placeholder:"SCOPE,…" group:"every"`
	OIDCGroupsClaim      string            `name:"oidc-groups-claim" help:"Claim that holds the groups; a.b is b within a." default:"groups" placeholder:"CLAIM" group:"every"`
	OIDCGroups           map[string]string `name:"oidc-groups" help:"What groups may do: GROUP=ROLE, several roles joined by +." placeholder:"GROUP=ROLE;…" group:"every"`
	OIDCAdmin            bool              `name:"oidc-admin" help:"Let groups make administrators too." group:"every"`
	OIDCStrong           []string          `name:"oidc-strong" help:"Values of acr or amr that say that it saw a second factor; else approvers need one of ours." placeholder:"VALUE,…" group:"every"`
}

// company returns the identity provider, nil without one.
func (h *house) company() (console.Company, console.GroupRoles, error) {
	groups := console.GroupRoles{Of: map[string][]string{}, Admin: h.OIDCAdmin}
	if h.OIDCIssuer == "" {
		return nil, groups, nil
	}
	for group, roles := range h.OIDCGroups {
		for role := range strings.SplitSeq(roles, "+") {
			groups.Of[group] = append(groups.Of[group], strings.TrimSpace(role))
		}
	}
	if len(groups.Of) == 0 {
		return nil, groups, refuse("oidc-config", "no group of the company's login may do anything, so nobody could log in with it", "--oidc-groups 'art34-agents=agent;art34-dpo=approver+auditor'")
	}
	if err := groups.Check(); err != nil {
		return nil, groups, err
	}
	p, err := h.identityProvider()
	if err != nil {
		return nil, groups, err
	}
	return p, groups, nil
}

func (h *house) identityProvider() (*openid.Provider, error) {
	key, err := secret(h.OIDCClientSecretFile, "ART34_OIDC_CLIENT_SECRET")
	if err != nil {
		return nil, err
	}
	back := h.OIDCRedirect
	switch {
	case back != "":
	case len(h.ConsoleHost) > 0 && (h.ConsoleCert != "" || h.ConsoleBehindProxy):
		back = "https://" + h.ConsoleHost[0] + console.CompanyBack
	default:
		host, port, err := net.SplitHostPort(h.Console)
		if err != nil || !loopback(host) || port == "0" {
			return nil, refuse("oidc-config", "the company's login does not know where to send people back to", "--console-host console.example.com, or --oidc-redirect https://console.example.com"+console.CompanyBack)
		}
		back = "http://" + net.JoinHostPort(host, port) + console.CompanyBack
	}
	return openid.New(openid.Config{
		Issuer: h.OIDCIssuer, ClientID: h.OIDCClient, Secret: key, Redirect: back, Scopes: h.OIDCScopes, Groups: h.OIDCGroupsClaim, Strong: h.OIDCStrong, Clock: h.real,
	})
}

// company looks whether the identity provider answers as one.
func (d *doctor) company(ctx context.Context) {
	const check = "company login"
	if d.h.OIDCIssuer == "" {
		d.say(doctorSkipped, check, "", "none is configured; people have accounts of the console", "")
		return
	}
	if _, _, err := d.h.company(); err != nil {
		d.say(doctorFail, check, "", explained(err).Sentence, explained(err).Hint)
		return
	}
	p, err := d.h.identityProvider()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, doctorPatience)
		defer cancel()
		err = p.Check(ctx)
	}
	if err != nil {
		d.say(doctorFail, check, "", explained(err).Sentence, firstLine(err))
		return
	}
	d.say(doctorOK, check, "", "the provider answers, and sends people back to "+p.Redirect, "")
}
