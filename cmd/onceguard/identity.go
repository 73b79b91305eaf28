package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/onceguard/onceguard/web"
)

// identity are the settings of an OpenID Connect provider that vouches for the people who use the dashboard.
type identity struct {
	Issuer, ClientID, ClientSecret string
	Name, Tenant                   string
	Subject, Roles                 string // claims
	Reviewers, Admins              string // values of the claim Roles, separated by commas
	Scopes                         string
}

// flags declares the settings. The client secret is better given in its variable or in a file than in a flag, which others can see.
func (i *identity) flags(f *pflag.FlagSet) {
	f.StringVar(&i.Issuer, "oidc-issuer", "", "`URL` of an OpenID Connect provider with which people sign in to the dashboard; none: with their keys")
	f.StringVar(&i.ClientID, "oidc-client-id", "", "the `id` of this server at the provider")
	f.StringVar(&i.ClientSecret, "oidc-client-secret", "", "its `secret` there; better in ONCEGUARD_OIDC_CLIENT_SECRET; none for a public client")
	f.StringVar(&i.Name, "oidc-name", "single sign-on", "what the sign-in page calls the provider")
	f.StringVar(&i.Tenant, "oidc-tenant", defaultTenant, "the tenant of everybody whom the provider vouches for")
	f.StringVar(&i.Subject, "oidc-subject", "sub", "the `claim` that names a person")
	f.StringVar(&i.Roles, "oidc-roles", "groups", "the `claim` that decides on the role")
	f.StringVar(&i.Reviewers, "oidc-reviewers", "", "`values` of that claim that make a reviewer, separated by commas")
	f.StringVar(&i.Admins, "oidc-admins", "", "`values` of that claim that make an admin, separated by commas")
	f.StringVar(&i.Scopes, "oidc-scopes", "", "`scopes` to ask for beside openid, separated by commas")
}

// validate refuses a provider that nobody could sign in with.
func (i *identity) validate(s *settings) {
	if i.Issuer == "" {
		if i.ClientID != "" || i.Reviewers+i.Admins != "" {
			s.complain("oidc-issuer", "is missing, so nobody can sign in with the other oidc settings")
		}
		return
	}
	if !strings.HasPrefix(i.Issuer, "https://") && !strings.HasPrefix(i.Issuer, "http://127.0.0.1") && !strings.HasPrefix(i.Issuer, "http://localhost") {
		s.complain("oidc-issuer", "%q does not begin with https://", i.Issuer)
	}
	if i.ClientID == "" {
		s.complain("oidc-client-id", "is missing: the provider gives one when the server is registered with it")
	}
	if s.config.URL == "" {
		s.complain("url", "is missing: the provider sends people back to URL/signin/callback")
	}
	if i.Reviewers+i.Admins == "" {
		s.complain("oidc-reviewers", "is missing, and so is --oidc-admins: nobody would be let in")
	}
}

// provider is what the dashboard needs of the settings; nil for none.
func (i *identity) provider() *web.Provider {
	if i.Issuer == "" {
		return nil
	}
	return &web.Provider{
		Name: i.Name, Issuer: i.Issuer, ClientID: i.ClientID, ClientSecret: i.ClientSecret, Tenant: i.Tenant,
		Subject: i.Subject, Roles: i.Roles, Reviewers: commaSeparated(i.Reviewers), Admins: commaSeparated(i.Admins), Scopes: commaSeparated(i.Scopes),
	}
}

// commaSeparated splits a setting with several values.
func commaSeparated(values string) []string {
	return strings.FieldsFunc(values, func(r rune) bool { return r == ',' || r == ' ' })
}
